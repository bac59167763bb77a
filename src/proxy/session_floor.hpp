// Where one session's next read may run: what it must see, and which servers are known to have it. Of a worker's thread.
//
// The floor is the LSN that a read must have seen: at or above the end of each commit of the session's own that was
// acknowledged. For reads never to go back in time a session stays on a server for a while ('home'); to leave it, it takes a
// sample of the primary first, which is above all that it can have read anywhere.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pg/lsn.hpp"
#include "proxy/read_rules.hpp"
#include "proxy/routing.hpp"
#include "proxy/samples.hpp"

namespace pgtandem::proxy {

// Why a read went where it went; counted for SHOW ROUTES.
enum class ReadPlace : std::uint8_t {
    replica,
    primary_share,   // the primary's own part of the reads
    no_replica,      // none can be used at all
    not_caught_up,   // none had replayed up to the floor in time
    no_sample,       // the primary did not say in time how far it is
};
std::string_view name(ReadPlace place);

struct ReadChoice {
    bool must_wait = false;  // for a sample or a replica; to be asked again on news
    ServerEntry const* server = nullptr;  // null where there is no primary either
    ReadPlace place = ReadPlace::no_replica;
};

// What a session still has the patience to wait for. A read that waits no more for what it must see goes to the primary; fences
// are waited for longer, for there is no other place that would be right.
enum class Patience : std::uint8_t { all, fences, none };

class SessionFloor {
public:
    // The primary has acknowledged something of this session that may have written. 'without_flush': a commit's record may
    // not have been flushed by then. A session that reads after its writes asks for the sample at once, so that it is under way
    // by then; without 'samples', or where it only writes, the next read asks for it.
    void wrote(Samples* samples, bool without_flush);
    // It has been on the primary, in a transaction that went there for other reasons than choose().
    void was_on_primary(Routing const& routing);

    ReadChoice choose(Routing const& routing, Samples& samples, ReadRules const& rules, Clock::time_point now, Patience patience);

    // Before something runs on the primary that is no read placed by choose(). False: it is to wait for a fence, if it still may.
    bool may_go_to_primary(Routing const& routing, Samples& samples, ReadRules const& rules);

    // "1:0/3000148", timeline and LSN; nothing while a sample is still to come: then it has been asked for.
    std::optional<std::string> text(Routing const& routing, Samples& samples);
    // Takes such a text. False if it is none.
    bool raise(std::string_view text, Routing const& routing, Samples& samples);

private:
    void enter_epoch(Routing const& routing, Samples& samples);
    bool take_sample(Routing const& routing, Samples& samples);
    ServerEntry const* home_in(Routing const& routing) const;
    bool reads_where_it_wrote(Routing const& routing, Samples& samples, ReadRules const& rules, Clock::time_point now);
    ReadChoice stay_home(Routing const& routing, ReadRules const& rules, Clock::time_point now);
    bool is_good_home(Routing const& routing, ServerEntry const& home, ReadRules const& rules, Clock::time_point now) const;
    bool has_stayed_enough(Routing const& routing, ServerEntry const& home, ReadRules const& rules, Clock::time_point now);
    bool may_read_on(ServerEntry const& server, ReadRules const& rules) const;
    bool is_fenced(Routing const& routing, Samples& samples);
    bool is_hopeless(Routing const& routing, ReadRules const& rules, Clock::time_point now) const;
    // Whether a read may be placed there: at once, or once it has replayed a little more.
    enum class Fit : std::uint8_t { no, soon, now };
    Fit fit(Routing const& routing, ServerEntry const& server, ReadRules const& rules, Clock::time_point now, bool may_leave) const;
    ReadChoice stay_after_all(ServerEntry const& home, Clock::time_point now);
    ReadChoice wait_for(ServerEntry const& replica, Samples& samples) const;
    ReadChoice choose_seen(Routing const& routing, Samples& samples, ReadRules const& rules, Clock::time_point now, Patience patience);
    ReadChoice wait_or_primary(Routing const& routing, Samples& samples, ReadRules const& rules, Clock::time_point now, Patience patience);
    ReadChoice to_primary(Routing const& routing, Samples& samples, ReadRules const& rules, ReadPlace place, Patience patience);
    ReadChoice settle(ServerEntry const* server, ReadPlace place, Clock::time_point since);

    std::uint64_t floor_ = 0;    // LSN: of the session's own commits
    std::uint64_t bound_ = 0;    // LSN: what a server other than 'home' must have as well
    std::uint64_t epoch_ = 0;    // Routing's, of both
    std::uint64_t ticket_ = 0;   // of a sample that is still to come
    bool needs_ticket_ = false;
    bool raises_floor_ = false;  // that sample's LSN is of a write, or of what one may have been
    bool takes_inserted_ = false;
    bool is_sampled_ = false;    // the sample for the read that is being placed has come
    bool has_fresh_ticket_ = false;  // a ticket was taken for the strict read that is being placed
    std::uint64_t fence_ = 0;    // the ticket for leaving 'home' for the primary; 0: none taken
    std::uint64_t home_ = 0;     // ServerPosition's id; 0: nowhere yet
    Clock::time_point home_since_{};
    std::uint64_t goal_ = 0;     // whom it waits for to go there
    bool is_leaving_ = false;            // has been there long enough
    Clock::time_point looked_around_{};  // whether another server has less to do
    bool has_unread_write_ = false;      // nothing has been read by choose() since the last write
    bool reads_after_writes_ = true;
    double place_ = -1;                  // Residents'; below 0: none taken
    bool is_resident_ = false;
};

}  // namespace pgtandem::proxy
