// The checking mode (setting check_sharing): what a backend really holds when it goes back to its pool, asked of the server
// itself, beside what the endpoint believes of it. A backend that differs is ended, and the statements of its last lease are
// reported: each difference is a statement whose effects were judged wrongly, and would have reached the next client.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_buffer.hpp"
#include "proxy/session_settings.hpp"

namespace pgtandem::proxy {

// What the endpoint takes a free backend to hold.
struct BelievedState {
    std::string user;
    SettingsRef settings = no_settings();
    std::set<std::string, std::less<>> custom_settings{};
    std::map<std::string, std::string, std::less<>> prepared{};  // by server name: the text
    std::optional<bool> has_unnamed = false;  // nothing: nobody knows
    bool has_drawn = false;
};

// One check after the other of one backend. Pure: writes messages, takes the answers.
class SharingCheck {
public:
    // A statement was sent. Only the first ones of a lease are kept, and of each only the beginning.
    void note(std::string_view statement);
    bool must_check() const { return !statements_.empty(); }

    // Asks the first questions.
    void begin(BelievedState believed, ByteBuffer& out);
    // A message of the answer; what it says next is written to 'out'. False: it has no place there.
    bool take(char type, std::string_view body, ByteBuffer& out);
    bool is_done() const { return step_ == Step::done; }
    // Since its statements were taken.
    bool was_asked() const { return was_asked_; }

    // Found by the last check; empty where all is as believed.
    std::vector<std::string> const& differences() const { return differences_; }
    // Why the server could not be asked; the backend's state is not known then.
    std::string const& failure() const { return failure_; }
    // What ran since the last check: for the report. Forgotten with that.
    std::vector<std::string> take_statements();

private:
    // In the order of the questions; each ends with its ReadyForQuery.
    enum class Step : std::uint8_t { state, inquiry, unnamed, replay, roll_back, done };
    using Values = std::map<std::string, std::optional<std::string>, std::less<>>;

    void ask(std::string const& text, ByteBuffer& out) const;
    std::string values_query() const;
    void ask_to_replay(ByteBuffer& out);
    bool take_row(std::string_view body);
    void take_error(std::string_view body);
    void finish_step(ByteBuffer& out);
    void compare_held(std::string const& kind, std::string const& name, std::string const& value);
    void compare_prepared();
    void compare_values();
    void differ(std::string what);

    std::vector<std::string> statements_;
    BelievedState believed_;
    Step step_ = Step::done;
    bool was_asked_ = false;
    bool has_failed_ = false;  // this step has met an error
    Values present_;           // of the settings that are believed, of the role and of custom settings
    Values believed_values_;   // of the same, after what is believed was set again
    std::map<std::string, std::string, std::less<>> prepared_;
    std::vector<std::string> differences_;
    std::string failure_;
};

}  // namespace pgtandem::proxy
