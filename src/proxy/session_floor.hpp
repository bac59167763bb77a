// Where one session's next read may run: what it must see, and which servers are known to have it. Of a worker's thread.
//
// A session has a 'home': the server that it used last, which shows all that the session has read or written. To read on another
// replica it takes a sample of the primary first, whose question was put after the last use of its home; to go from a replica to
// the primary it waits for a fence. Each use of a server makes a sample or a fence that was asked for before worthless.
// tests/support/floor_model.hpp tries every order of few steps.
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
    // It has been on the primary, in a transaction that went there for other reasons than choose(), or that went on with more than
    // what was chosen for. What may be late has not waited for a fence.
    void was_on_primary(Routing const& routing, bool may_be_late);
    // The same, and it may have written there. 'without_flush': a commit's record may not have been flushed when it was acknowledged.
    // A session that reads after its writes asks for the sample at once, so that it is under way by then; without 'samples', or where
    // the session only writes, the next read asks for it.
    void wrote(Routing const& routing, Samples* samples, bool may_be_late, bool without_flush);

    // Before the first choose() for a read. 'acknowledged': of those that Acknowledged counts, what it is to see where the level is
    // 'endpoint'.
    void begin_read(std::uint64_t acknowledged);
    ReadChoice choose(Routing const& routing, Samples& samples, ReadRules const& rules, Clock::time_point now, Patience patience);

    // Before something runs on the primary that is no read placed by choose(). False: it is to wait for a fence, if it still may.
    bool may_go_to_primary(Routing const& routing, Samples& samples, ReadRules const& rules);

    // Whether one more read may follow another on the replica that it has chosen, without choosing anew.
    bool may_read_on_here(Routing const& routing, Samples const& samples, ReadRules const& rules, std::uint64_t acknowledged) const;

    // "1:0/3000148", timeline and LSN; nothing while a sample is still to come: then it has been asked for.
    std::optional<std::string> text(Routing const& routing, Samples& samples);
    // Takes such a text. False if it is none.
    bool raise(std::string_view text, Routing const& routing);

private:
    void enter_epoch(Routing const& routing);
    bool take_sample(Routing const& routing, Samples& samples);
    bool has_sample(Routing const& routing, Samples& samples);
    void use(ServerEntry const& server, Clock::time_point since);
    void outdate_questions();
    ServerEntry const* home_in(Routing const& routing) const;
    bool reads_where_it_wrote(Routing const& routing, Samples& samples, ReadRules const& rules, Clock::time_point now);
    bool is_covered(ReadRules const& rules) const { return rules.consistency != Consistency::endpoint || must_see_ <= covered_; }
    void look_for_acknowledged(Samples& samples);
    ReadChoice stay_home(Routing const& routing, Samples& samples, ReadRules const& rules, Clock::time_point now, Patience patience);
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
    ReadChoice choose_late(Routing const& routing, ReadRules const& rules, Clock::time_point now) const;

    std::uint64_t floor_ = 0;    // LSN: what any replica must have, home too
    std::uint64_t bound_ = 0;    // LSN: what a server other than home must have; of the sample
    std::uint64_t epoch_ = 0;    // Routing's, of both
    std::uint32_t timeline_awaited_ = 0;  // of a floor that was handed over: the primary's is not known to be so high yet
    std::uint64_t must_see_ = 0;  // of Acknowledged: by the read that is being placed
    std::uint64_t covered_ = 0;   // of those, what the floor is known to be above
    std::uint64_t ticket_of_all_ = 0;  // of the sample that is to tell it
    std::uint64_t ticket_ = 0;   // of a sample that is still to come
    bool is_sampled_ = false;    // a sample that was asked for after the last use has come
    bool asks_for_home_ = false; // the sample is needed to read at home too
    bool takes_inserted_ = false;
    bool has_fresh_ticket_ = false;  // a ticket was taken for the strict read that is being placed
    std::uint64_t fence_ = 0;    // the ticket for leaving home for the primary; 0: none taken
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
