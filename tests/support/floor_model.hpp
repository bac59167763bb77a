// Explores every order in which commits, what the servers show of them, samples, fences and the sessions of two workers can
// meet, for scripts of few steps, with the classes that the endpoint uses. No session may read a state older than what it, or the
// session that handed it its floor, has read or written; nor, where the level is 'endpoint', than what anybody had been told of
// when the read began.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "proxy/fence_run.hpp"
#include "proxy/session_floor.hpp"
#include "support/server_entry.hpp"

namespace pgtandem::proxy {
namespace floor_model {

using Commits = std::uint32_t;  // a bit for each: the first one in the WAL is bit 0

constexpr Commits first_of_wal(std::uint64_t count) { return (Commits(1) << count) - 1; }

// What one run is about.
struct Scenario {
    std::array<std::string, 2> scripts{};  // of session 0 on worker 0 and of session 1 on worker 1; see Step
    unsigned others_commits = 1;           // by a session that is not looked at
    bool promotes = false;                 // replica a may become the primary, once
    bool is_resident = false;              // who writes reads on the primary
    bool has_two_replicas = false;
    Consistency consistency = Consistency::session;

    bool is_for_all() const { return consistency == Consistency::endpoint || consistency == Consistency::strict; }
};

// W: writes. P: reads on the primary for another reason than its choice. R: a plain read. L: one that may be late.
// F: hands its floor to session 1.
using Step = char;

enum Server : std::uint8_t { p, a, b, none };

// A server's number stands for its position, whose id all copies of a world share.
struct Servers {
    std::array<std::shared_ptr<ServerPosition>, 3> positions;
    std::array<Routing, 2> routings;  // before and after the promotion of a

    explicit Servers(Scenario const& scenario) {
        auto entries = std::vector{server("p", true), server("a", false), server("b", false)};
        for (int at = 0; at < 3; ++at) positions[at] = entries[at].position;
        entries[b].is_usable = scenario.has_two_replicas;
        routings[0] = {1, 1, entries, true};
        entries[p].is_usable = entries[p].is_primary = false;
        entries[a].is_primary = true;
        entries[a].timeline = entries[b].timeline = 2;
        routings[1] = {2, 2, entries, true};
    }
};

enum class Phase : std::uint8_t { between, waits, runs, recorded, shown, gone };

struct ModelSession {
    SessionFloor floor{};
    std::size_t at = 0;  // in its script
    Phase phase = Phase::between;
    Server where = none;
    std::uint8_t own = 0;   // the commit it is making
    Commits must_see = 0;   // has read, written or been handed
    Commits must_see_now = 0;  // and what had been acknowledged to anybody when the read began
};

struct Question {
    bool is_asked = false;
    Sample answer{};
};

struct ModelWorker {
    explicit ModelWorker(std::atomic<bool>& unflushed) : samples(unflushed) {}
    Samples samples;
    std::uint8_t routing = 0;
    std::array<FenceRun, 3> fences{};
    Question question{};
};

struct World {
    explicit World(std::atomic<bool>& unflushed) : workers{ModelWorker(unflushed), ModelWorker(unflushed)} {}
    std::array<ModelSession, 2> sessions{};
    std::array<ModelWorker, 2> workers;
    Server primary = p;
    std::uint8_t recorded = 0;
    Commits shown = 0, acknowledged = 0;
    std::uint8_t acknowledgements = 0;  // as Acknowledged counts them
    std::array<std::uint8_t, 3> applied{}, known{};
    std::array<std::uint8_t, 2> others{};  // commits of the others: begun, and the one under way
    Phase other = Phase::between;
    unsigned hours = 0;
    unsigned samples = 0;  // that were asked for
};

// Of one run: without an end the workers would ask on while a commit is not shown.
constexpr unsigned most_samples = 3;
constexpr unsigned most_hours = 1;

template <class Value>
void add(std::string& key, Value const& value) {
    static_assert(std::is_trivially_copyable_v<Value>);
    key.append(reinterpret_cast<char const*>(&value), sizeof value);
}

class Explorer {
public:
    explicit Explorer(Scenario scenario) : scenario_(std::move(scenario)), servers_(scenario_) {}

    // The steps that lead to a read that is too old; "" where there are none.
    std::string explore() {
        World world(unflushed_);
        for (auto& worker : world.workers) {
            auto& residents = worker.samples.residents();
            while (scenario_.is_resident && !residents.include(0.99)) {
                while (!residents.is_to_adapt()) residents.count_read(false);
                residents.adapt(1);
            }
        }
        visit(world);
        return found_;
    }
    bool is_finished() const { return ends_ > 0; }

private:
    using Act = std::function<void(World&)>;

    void visit(World const& world) {
        if (!found_.empty() || !seen_.insert(key_of(world)).second) return;
        if (std::ranges::all_of(world.sessions, [&](auto const& session) { return is_done(world, session); })) ++ends_;
        for (int number = 0; number < 2; ++number) session_steps(world, number);
        other_steps(world);
        replica_steps(world);
        for (int number = 0; number < 2; ++number) worker_steps(world, number);
        if (scenario_.promotes && world.primary == p) {
            take(world, "a becomes the primary", [&](World& next) {
                next.primary = a;
                next.applied[a] = next.known[a] = next.recorded;
                next.shown = first_of_wal(next.recorded);
            });
        }
    }

    void take(World const& world, std::string name, Act const& act) {
        auto next = world;
        path_.push_back(std::move(name));
        act(next);
        visit(next);
        path_.pop_back();
    }

    bool is_done(World const& world, ModelSession const& session) const {
        auto const& script = scenario_.scripts[&session - world.sessions.data()];
        return session.phase == Phase::gone || session.at >= script.size();
    }

    std::string key_of(World const& world) const {
        std::string key;
        for (auto const& session : world.sessions) add(key, session);
        for (auto const& worker : world.workers) {
            auto samples = worker.samples;
            for (auto const& sample : {samples.latest(), worker.question.answer}) {
                add(key, std::array{sample.ticket, sample.epoch, sample.flushed, sample.shown.xmax});
                for (auto const xid : sample.shown.xip) add(key, xid);
                add(key, '.');
            }
            for (unsigned count = 0; count <= world.acknowledgements; ++count) {
                add(key, samples.position_of(count, samples.latest().epoch).value_or(~std::uint64_t(0)));
            }
            add(key, worker.question.answer.acknowledged);
            add(key, std::array<std::uint64_t, 3>{samples.last_ticket(), worker.routing, worker.question.is_asked});
            for (auto const& position : servers_.positions) {
                auto const& wishes = samples.of(*position);
                add(key, std::array{wishes.last_fence, wishes.fenced});
            }
            for (auto const& run : worker.fences) {
                auto const& fence = run.fence();
                add(key, std::array<std::uint64_t, 3>{static_cast<std::uint64_t>(fence.step()), fence.ticket(), fence.covers()});
                for (auto const xid : fence.awaited()) add(key, xid);
            }
        }
        add(key, world.samples);
        add(key, world.acknowledgements);
        add(key, std::array<std::uint32_t, 12>{world.primary, world.recorded, world.shown, world.acknowledged, world.applied[a], world.applied[b],
                                               world.known[a], world.known[b], world.others[0], world.others[1], static_cast<unsigned>(world.other), world.hours});
        return key;
    }

    // The real objects of a world: the servers' positions are shared, and are as this world has them.
    Routing const& routing_of(World const& world, int worker) const {
        for (auto const replica : {a, b}) servers_.positions[replica]->set_replayed(world.known[replica]);
        return servers_.routings[world.workers[worker].routing];
    }

    ReadRules rules() const {
        ReadRules rules;
        rules.consistency = scenario_.consistency;
        return rules;
    }

    Commits visible(World const& world, Server where) const {
        return where == world.primary ? world.shown : first_of_wal(world.applied[where]);
    }

    void session_steps(World const& world, int number) {
        auto const& session = world.sessions[number];
        if (is_done(world, session)) return;
        auto const step = scenario_.scripts[number][session.at];
        auto const label = "session " + std::to_string(number) + " ";
        bool const may_begin = session.phase == Phase::between || session.phase == Phase::waits;
        if (may_begin && (step == 'R' || step == 'L')) begin_read(world, number, step == 'L');
        if (may_begin && (step == 'P' || step == 'W')) begin_on_primary(world, number, label);
        if (may_begin && step == 'F') hand_floor(world, number, label);
        if (session.phase == Phase::runs) run(world, number, label, step);
        if (session.phase == Phase::recorded) {
            take(world, label + "'s commit is shown", [&](World& next) {
                next.shown |= Commits(1) << session.own;
                next.sessions[number].phase = Phase::shown;
            });
        }
        if (session.phase == Phase::shown) take(world, label + "is acknowledged", [&](World& next) { acknowledge(next, number); });
    }

    void begin_read(World const& world, int number, bool may_be_late) {
        for (auto const better : {p, a, b}) {
            for (auto const patience : {Patience::all, Patience::fences}) {
                for (unsigned const hours : {0U, 1U}) {
                    bool const has_begun = world.sessions[number].phase == Phase::waits;
                    if (patience == Patience::fences && !has_begun) continue;
                    // As one who was told to wait it does not wait for hours.
                    if (hours > 0 && (has_begun || world.hours >= most_hours)) continue;
                    if (!scenario_.has_two_replicas && better == b) continue;
                    choose(world, number, may_be_late, better, patience, hours);
                }
            }
        }
    }

    void choose(World const& world, int number, bool may_be_late, Server better, Patience patience, unsigned hours) {
        auto next = world;
        next.hours += hours;
        auto& session = next.sessions[number];
        auto const& routing = routing_of(next, number);
        for (auto const at : {p, a, b}) servers_.positions[at]->in_use = at == better ? 0 : 9;
        auto rules = this->rules();
        if (may_be_late) rules.consistency = Consistency::eventual;
        if (session.phase == Phase::between) {
            session.must_see_now = may_be_late ? 0 : session.must_see | (scenario_.is_for_all() ? next.acknowledged : 0);
            session.floor.begin_read(next.acknowledgements);
        }
        auto const choice = session.floor.choose(routing, next.workers[number].samples, rules, begin_ + std::chrono::hours(next.hours), patience);
        session.phase = choice.must_wait ? Phase::waits : choice.server == nullptr ? Phase::gone : Phase::runs;
        auto const name = choice.must_wait ? "waits" : choice.server == nullptr ? "has nowhere to read" : "is to read on " + choice.server->name;
        session.where = choice.server == nullptr ? none : static_cast<Server>(choice.server->name[0] == 'p' ? p : choice.server->name[0] == 'a' ? a : b);
        path_.push_back("session " + std::to_string(number) + " " + name + (patience == Patience::fences ? " (after long)" : "") + (hours > 0 ? " (hours later)" : ""));
        visit(next);
        path_.pop_back();
    }

    void begin_on_primary(World const& world, int number, std::string const& label) {
        auto next = world;
        auto& session = next.sessions[number];
        auto const& routing = routing_of(next, number);
        bool const may_go = session.floor.may_go_to_primary(routing, next.workers[number].samples, rules());
        session.phase = may_go ? Phase::runs : Phase::waits;
        session.must_see_now = session.must_see;
        session.where = static_cast<Server>(routing.primary()->name[0] == 'p' ? p : a);
        path_.push_back(label + (may_go ? "goes to the primary" : "waits for a fence"));
        visit(next);
        path_.pop_back();
    }

    void run(World const& world, int number, std::string const& label, Step step) {
        auto const& session = world.sessions[number];
        auto const where = session.where;
        if (where == p && world.primary != p) {
            return take(world, label + "loses its server", [&](World& next) { next.sessions[number].phase = Phase::gone; });
        }
        auto const sees = visible(world, where);
        if ((session.must_see_now & ~sees) != 0 && step != 'L') return fail(label + "reads what is too old on " + "pab"[where]);
        take(world, label + "reads " + std::bitset<4>(sees).to_string(), [&](World& next) {
            auto& reader = next.sessions[number];
            if (step != 'L') reader.must_see |= sees;
            if (step != 'W') return step == 'P' ? leave_primary(next, number, false) : end(reader);
            reader.own = next.recorded++;
            reader.phase = Phase::recorded;
        });
    }

    static void end(ModelSession& session) {
        session.phase = Phase::between;
        ++session.at;
    }

    void leave_primary(World& next, int number, bool has_written) {
        auto& session = next.sessions[number];
        auto const& routing = routing_of(next, number);
        if (has_written) session.floor.wrote(routing, &next.workers[number].samples, false, false);
        else session.floor.was_on_primary(routing, false);
        end(session);
    }

    void acknowledge(World& next, int number) {
        auto& session = next.sessions[number];
        session.must_see |= Commits(1) << session.own;
        next.acknowledged |= Commits(1) << session.own;
        ++next.acknowledgements;
        leave_primary(next, number, true);
    }

    void hand_floor(World const& world, int number, std::string const& label) {
        if (world.sessions[1].phase != Phase::between) return;
        auto next = world;
        auto& session = next.sessions[number];
        auto const text = session.floor.text(routing_of(next, number), next.workers[number].samples);
        session.phase = text ? Phase::between : Phase::waits;
        if (text) {
            auto& taker = next.sessions[1];
            EXPECT_TRUE(taker.floor.raise(*text, routing_of(next, 1)));
            taker.must_see |= session.must_see;
            end(session);
        }
        path_.push_back(label + (text ? "hands over " + *text : "waits for its floor"));
        visit(next);
        path_.pop_back();
    }

    void other_steps(World const& world) {
        switch (world.other) {
            case Phase::between:
                if (world.others[0] >= scenario_.others_commits) return;
                return take(world, "another one commits", [](World& next) {
                    ++next.others[0];
                    next.others[1] = next.recorded++;
                    next.other = Phase::recorded;
                });
            case Phase::recorded:
                return take(world, "the other commit is shown", [this](World& next) {
                    next.shown |= Commits(1) << next.others[1];
                    next.other = scenario_.is_for_all() ? Phase::shown : Phase::between;
                });
            default:
                return take(world, "the other commit is acknowledged", [](World& next) {
                    next.acknowledged |= Commits(1) << next.others[1];
                    ++next.acknowledgements;
                    next.other = Phase::between;
                });
        }
    }

    void replica_steps(World const& world) {
        for (auto const replica : {a, b}) {
            if (replica == world.primary || (replica == b && !scenario_.has_two_replicas)) continue;
            auto const name = std::string(1, "pab"[replica]);
            if (world.applied[replica] < world.recorded) take(world, name + " applies", [&](World& next) { ++next.applied[replica]; });
            if (world.known[replica] < world.applied[replica]) {
                take(world, name + " tells how far it is", [&](World& next) { next.known[replica] = next.applied[replica]; });
            }
        }
    }

    Snapshot snapshot(World const& world) const {
        Snapshot shown{world.recorded, {}};
        for (std::uint64_t commit = 0; commit < world.recorded; ++commit) {
            if ((world.shown >> commit & 1) == 0) shown.xip.push_back(commit);
        }
        return shown;
    }

    void worker_steps(World const& world, int number) {
        auto const& worker = world.workers[number];
        auto const label = "worker " + std::to_string(number) + " ";
        if (worker.routing == 0 && world.primary == a) take(world, label + "learns of the new primary", [&](World& next) { next.workers[number].routing = 1; });
        bool const has_primary = (worker.routing == 0) == (world.primary == p);
        if (has_primary && world.samples < most_samples && worker.samples.is_wanted() && !worker.question.is_asked) {
            take(world, label + "asks for a sample", [&](World& next) {
                auto& asker = next.workers[number];
                ++next.samples;
                asker.question = {true, {asker.samples.last_ticket(), routing_of(next, number).epoch, next.recorded, next.recorded, snapshot(next), next.acknowledgements}};
            });
        }
        if (worker.question.is_asked) {
            take(world, label + "has its sample", [&](World& next) {
                auto& asker = next.workers[number];
                asker.samples.publish(asker.question.answer);
                asker.question = {};
            });
        }
        for (auto const replica : {a, b}) fence_steps(world, number, replica, label);
    }

    void fence_steps(World const& world, int number, Server replica, std::string const& label) {
        auto const& routing = routing_of(world, number);
        if (!routing.follows_primary(routing.servers[replica])) return;
        auto next = world;
        auto& worker = next.workers[number];
        auto& wishes = worker.samples.of(*servers_.positions[replica]);
        auto const todo = worker.fences[replica].next(worker.samples, wishes, routing.epoch);
        if (todo == FenceRun::Next::nothing) return;
        if (todo == FenceRun::Next::question) {
            auto const& primary = worker.samples.latest().shown;
            worker.fences[replica].question(worker.samples);
            std::vector<std::uint64_t> committed;
            for (std::uint64_t commit = 0; commit < next.recorded; ++commit) {
                if (!primary.shows_end_of(commit) && (visible(next, replica) >> commit & 1) != 0) committed.push_back(commit);
            }
            worker.fences[replica].take_answer(next.applied[replica], committed, worker.samples, wishes);
        }
        path_.push_back(label + "fences " + "pab"[replica]);
        visit(next);
        path_.pop_back();
    }

    void fail(std::string last) {
        path_.push_back(std::move(last));
        for (auto const& step : path_) found_ += step + "; ";
        path_.pop_back();
    }

    Scenario scenario_;
    Servers servers_;
    std::atomic<bool> unflushed_{false};
    Clock::time_point const begin_{};
    std::unordered_set<std::string> seen_;
    std::vector<std::string> path_;
    std::string found_;
    std::size_t ends_ = 0;
};

}  // namespace floor_model
}  // namespace pgtandem::proxy
