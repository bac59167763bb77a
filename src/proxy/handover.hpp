// A restart without a gap: the running endpoint gives its listening sockets to the process that takes its place, goes on
// serving the clients it has, and is told by the other whom it should cancel.
//
// Spoken over a socket in the abstract namespace, named by the endpoint's first address; both sides refuse a peer of
// another user. One message a packet:
//   the new one: take                     the running one: sockets (with them, and a letter for whom each is) | refused WHY
//   the new one: serving                  the running one: yours; it accepts no more
//   the new one: cancel PROCESS_ID KEY    for as long as the running one drains
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/deadline.hpp"
#include "base/stop_signal.hpp"
#include "proxy/listening.hpp"

namespace pgtandem::proxy {

std::string handover_name(EndpointSettings const& settings);

// The new process's side.
class Takeover {
public:
    // Nothing where no endpoint of that name runs. Errors: it does not answer in time, it refuses, it is another user's.
    static Result<std::optional<Takeover>> ask(std::string const& name, Deadline deadline);

    std::vector<ListeningSocket> take_sockets() { return std::move(sockets_); }
    // From now on the others' clients come here. Returns when the other has let go.
    Status serving(Deadline deadline);
    // The former one still serves clients.
    bool is_there() const;
    // Passes a cancel request on, to whom the key may mean something. Thread-safe; never waits.
    void cancel(std::uint32_t process_id, std::string const& key) const;

private:
    explicit Takeover(UniqueFd peer) : peer_(std::move(peer)) {}
    UniqueFd peer_;
    std::vector<ListeningSocket> sockets_;
};

// The running process's side: a thread that waits for one who asks.
class Handover {
public:
    // All are called on that thread.
    struct Owner {
        std::function<Status()> make_way;  // before the sockets are given; an error refuses
        std::function<std::vector<ListeningSocket> const&()> sockets;
        std::function<void()> take_back;   // the other has ended before it served
        std::function<void()> given;       // the other serves: accept no more, and drain
        std::function<void(std::uint32_t process_id, std::string const& key)> cancel;
    };

    static Result<std::unique_ptr<Handover>> offer(std::string const& name, Owner owner);
    ~Handover();

private:
    Handover(UniqueFd listening, Owner owner);
    void run();
    // True once the sockets are the other's.
    bool give_to(int peer);
    void pass_cancels(int peer) const;
    std::optional<std::string> receive(int peer, Deadline deadline) const;

    UniqueFd listening_;
    Owner owner_;
    StopSignal stop_;
    std::thread thread_;
};

}  // namespace pgtandem::proxy
