// Asks the servers what the sessions of one worker want to know (Samples), on the worker's loop: by a session of the
// endpoint's own on each server, opened when it is first needed. Of the worker's thread.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "proxy/acknowledged.hpp"
#include "proxy/fence_run.hpp"
#include "proxy/probe_line.hpp"
#include "proxy/routing.hpp"
#include "proxy/samples.hpp"

namespace pgtandem::proxy {

class Prober {
public:
    // 'tell_news': something is known that sessions may wait for.
    Prober(io::Loop& loop, ReportedRegistry& reported, Samples& samples, Acknowledged const& acknowledged, std::function<void()> tell_news);

    // Something may be wanted: it is asked at the end of this turn.
    void look();
    void take_routing(std::shared_ptr<Routing const> routing);
    // Now and then: gives up on a server that does not answer, and closes what nobody has needed for long.
    void tidy();

private:
    // What goes on with one server.
    struct Server {
        std::unique_ptr<ProbeLine> line;
        bool is_by_reserve = false;          // the line is, or the next one
        Clock::time_point line_made_at{};
        FenceRun fence{};                    // of a replica
        Clock::time_point not_before{};      // the next question
        Clock::duration pause{};             // between two questions for the same: it grows
        std::uint64_t asked_beside = 0;      // of a replica: the sample beside which it was asked how far it is
    };

    void look_now();
    void ask_primary(ServerEntry const& primary);
    void ask_replica(ServerEntry const& replica);
    void take_fence_step(FenceRun::Next next);
    void ask_for_fence(ServerEntry const& replica, Server& server);
    void ask_how_far(ServerEntry const& replica, Server& server);
    void ask_beside_sample(ServerEntry const& replica);
    bool may_ask(ServerEntry const& entry, Server& server);
    void rest(Server& server, Clock::duration span);

    io::Loop& loop_;
    ReportedRegistry& reported_;
    Samples& samples_;
    Acknowledged const& acknowledged_;
    std::function<void()> tell_news_;
    std::shared_ptr<Routing const> routing_;
    std::map<std::uint64_t, Server> servers_;  // by ServerPosition's id
    std::uint64_t samples_asked_ = 0;
    bool is_sample_under_way_ = false;
    bool will_look_ = false;
    Clock::time_point next_look_ = Clock::time_point::max();
    std::unique_ptr<io::Timer> timer_;
};

}  // namespace pgtandem::proxy
