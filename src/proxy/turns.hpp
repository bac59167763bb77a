// Whose turn it is for a backend: the sessions that wait, pool by pool in the order of their coming, and the limits that pools share.
// A free backend goes to the session of its pool that has waited longest. At a limit, the pool whose session has waited longest gets
// the room of a free backend that no session waits for, or of one whose own sessions have come much later. Opens nothing, reads no clock.
#pragma once
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/deadline.hpp"
#include "proxy/drawn_numbers.hpp"

namespace pgtandem::proxy {

class Line;

// One limit: of the backends of one database and user (pool_size), or of those on one server (server_connections).
class Room {
public:
    explicit Room(std::size_t most) : most_(most) {}
    void set_most(std::size_t most) { most_ = most; }
    std::size_t most() const { return most_; }
    std::size_t used() const { return used_; }
    bool is_full() const { return used_ >= most_; }
    bool is_wanted() const { return !wanting_.empty(); }
    // Opens backends for the lines that wait for this room, the longest waiting first, as long as there is room or it can be made.
    void serve_wanting(Clock::time_point now);

private:
    friend class Line;
    std::size_t most_;
    std::size_t used_ = 0;
    std::map<Line*, std::size_t> holders_;  // and how many backends each has here
    std::set<std::pair<Clock::time_point, Line*>> wanting_;
};

struct FreeBackend {
    std::uint64_t id;
    Clock::time_point made_at;
    Clock::time_point used_at;
    Room const* server;
    KeptNumbers kept{};
};

// A backend is not ended for another pool sooner after it was opened, unless that pool has none at all.
inline constexpr auto tenure = std::chrono::milliseconds(250);
// By so much longer a session of another pool has waited, to get the room of a backend that sessions of its own pool wait for. Without
// such a margin, pools that wait equally long would take their rooms from one another with each transaction.
inline constexpr auto margin = std::chrono::milliseconds(250);

// Whether the room of a free backend goes to another pool.
struct Holding {
    Clock::time_point made_at;
    std::optional<Clock::time_point> waiting_since;  // of the session of its own pool that would get it
};
struct Want {
    Clock::time_point since;
    bool has_backends;
};
bool gives_way(Holding const& holding, Want const& want, Clock::time_point now);

// The sessions that wait for backends of one pool.
class Line {
public:
    explicit Line(Room& group) : group_(group) {}
    Line(Line const&) = delete;
    Line& operator=(Line const&) = delete;

    void join(std::uint64_t session, Clock::time_point now);
    bool leave(std::uint64_t session);
    // Those who have waited since 'since' or longer.
    std::vector<std::uint64_t> take_out_until(Clock::time_point since);
    std::size_t waiting() const { return waiters_.size(); }
    std::optional<Clock::time_point> waiting_since() const;
    std::size_t still_to_open() const;

    // Gives out what is free, then opens what is missing.
    void serve(Clock::time_point now);
    // False: nothing was to be opened, or nothing could be.
    bool open_missing(Clock::time_point now);

    // One more backend, or one less, on a server.
    void occupy(Room& server);
    void vacate(Room& server);
    bool is_wanted_by_others() const;

protected:
    ~Line() { stop_wanting(); }
    // Ends a free backend there for the sake of a session that waits here. False: there is none to be ended.
    bool make_room(Room const& room, Clock::time_point now);

private:
    // A free backend that fits the session, taken out of the free ones; 0: none.
    virtual std::uint64_t take_free(std::uint64_t session, Clock::time_point since) = 0;
    virtual void give(std::uint64_t session, std::uint64_t backend) = 0;
    virtual std::size_t free_count() const = 0;
    virtual std::vector<FreeBackend> free_backends() const = 0;
    virtual void end_free(std::uint64_t backend) = 0;
    virtual std::size_t on_their_way() const = 0;
    // Where the next backend would be opened. Null: none can be at present.
    virtual Room* server_to_open() = 0;
    virtual void open() = 0;
    // Of another database: its backends are ended only where there are none of this one.
    virtual bool is_stranger_to(Line const& other) const = 0;
    virtual void look_again_at(Clock::time_point when) = 0;

    friend class Room;
    struct Waiter {
        std::uint64_t session;
        Clock::time_point since;
    };
    using Waiters = std::list<Waiter>;

    void take_out(Waiters::iterator place);
    bool give_one(Clock::time_point now);
    bool gives_way_to_others(Clock::time_point since, Clock::time_point now);
    bool want(Room& room);
    bool stop_wanting();
    void count(Room& room, int change);

    Room& group_;
    Waiters waiters_;
    std::unordered_map<std::uint64_t, Waiters::iterator> places_;
    std::vector<Room*> servers_;  // where it has backends
    std::size_t backends_ = 0;
    Room* wanted_ = nullptr;
    Clock::time_point wanted_since_{};
    bool is_given_out_ = false;  // what is free now fits no session that waits
};

}  // namespace pgtandem::proxy
