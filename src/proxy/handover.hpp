// A restart without a gap: the running endpoint gives its listening sockets to the process that takes its place, goes on
// serving the clients it has, and is told by the other whom it should cancel.
//
// Spoken over a socket in the abstract namespace, named by the endpoint's first address; both sides refuse a peer of
// another user. One message a packet:
//   the new one: take                     the running one: sockets (with them, and a letter for whom each is) | refused WHY
//   the new one: serving                  the running one: yours; it accepts no more
//   the new one: cancel PROCESS_ID KEY NUMBER   the running one, for as long as it drains: cancelled NUMBER, once the server has
//                                         taken the request, or there is nothing to cancel
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
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
    bool is_there() const { return cancels_->is_there(); }
    // Passes a cancel request on, to whom the key may mean something. 'delivered' is called once the server has taken it, or there is
    // nothing to cancel, or nobody to ask. Thread-safe; never waits.
    void cancel(std::uint32_t process_id, std::string const& key, std::function<void()> delivered) const;
    // Of what is under way nothing more is heard.
    void leave() const { cancels_->end(); }

private:
    // The requests that the former process has not answered, and the thread that hears its answers.
    class Cancels {
    public:
        explicit Cancels(UniqueFd peer) : peer_(std::move(peer)) {}
        ~Cancels() { end(); }
        int peer() const { return peer_.get(); }
        // What was asked for before is sent now.
        void begin();
        void send(std::string request, std::function<void()> delivered);
        bool is_there() const { return is_there_; }
        void end();

    private:
        struct Pending {
            std::string request;
            std::function<void()> delivered;
        };
        void run();
        bool pass(std::uint64_t number, std::string const& request) const;
        std::function<void()> take(std::uint64_t number);

        UniqueFd peer_;
        StopSignal stop_;
        std::mutex mutex_;
        bool has_begun_ = false;
        std::atomic<bool> is_there_{false};
        std::uint64_t last_ = 0;
        std::map<std::uint64_t, Pending> pending_;
        std::thread thread_;
    };

    explicit Takeover(UniqueFd peer) : cancels_(std::make_unique<Cancels>(std::move(peer))) {}
    std::unique_ptr<Cancels> cancels_;
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
        std::function<void(std::uint32_t process_id, std::string const& key, std::function<void()> delivered)> cancel;
    };

    static Result<std::unique_ptr<Handover>> offer(std::string const& name, Owner owner);
    ~Handover();

private:
    Handover(UniqueFd listening, Owner owner);
    void run();
    // True once the sockets are the other's.
    bool give_to(int peer);
    void pass_cancels(std::shared_ptr<UniqueFd const> const& peer) const;
    std::optional<std::string> receive(int peer, Deadline deadline) const;

    UniqueFd listening_;
    Owner owner_;
    StopSignal stop_;
    std::thread thread_;
};

}  // namespace pgtandem::proxy
