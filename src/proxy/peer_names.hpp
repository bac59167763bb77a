// Looks up the host names of clients' addresses, for lines of pg_hba.conf that name hosts: on threads of its own, since a name
// service may take seconds. Nothing is kept: the server asks at each login as well.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "proxy/hba.hpp"

namespace pgtandem::proxy {

// As check_hostname in src/backend/libpq/hba.c. What the name service could not say is unknown. Blocks for some seconds at most.
PeerName look_up_peer(std::string const& address);

class PeerNames {
public:
    using LookUp = std::function<PeerName(std::string const& address)>;
    using Answer = std::function<void(PeerName)>;
    explicit PeerNames(LookUp look_up = look_up_peer);
    ~PeerNames();  // answers what still waits with "unknown"

    // 'answer' is called once, on a thread of the look-ups, unless it is forgotten before. Those of one address share a look-up.
    void ask(std::uint64_t id, std::string const& address, Answer answer);
    void forget(std::uint64_t id);

private:
    using Answers = std::map<std::uint64_t, Answer>;
    void run();

    LookUp look_up_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, Answers> waiting_{};
    std::unordered_map<std::uint64_t, std::string> addresses_{};
    std::deque<std::string> order_{};  // of addresses that wait
    std::size_t idle_ = 0;
    bool stopping_ = false;
    std::vector<std::thread> threads_{};
};

}  // namespace pgtandem::proxy
