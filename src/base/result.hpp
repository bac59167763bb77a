// Errors as values. An Error says what failed, on what, why, and what the user may try;
// it is shown as "what: on what: why" with a second line "try: ..." where there is something to try.
#pragma once
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace pgtandem {

enum class ErrorKind {
    failed,     // the work could not be done: exit status 1
    usage,      // the command was given wrongly: exit status 2
    timed_out,  // a deadline passed
    stopped,    // somebody asked us to stop: not news to the user
};

struct Error {
    std::string what;
    std::string on;
    std::string why;
    std::string hint{};  // what to try, or empty
    ErrorKind kind = ErrorKind::failed;
    std::string sqlstate{};  // the server's, where a server said no

    // The same error, seen from further out: "cloning node2: <this error>".
    Error within(std::string const& outer_what) && {
        what = what.empty() ? outer_what : outer_what + ": " + what;
        return std::move(*this);
    }
    Error with_hint(std::string text) && {
        hint = std::move(text);
        return std::move(*this);
    }

    // One line, without the hint.
    std::string line() const {
        std::string text = what;
        for (auto const* part : {&on, &why}) {
            if (part->empty()) continue;
            if (!text.empty()) text += ": ";
            text += *part;
        }
        return text;
    }
};

template <class Value>
using Result = tl::expected<Value, Error>;

using Status = Result<void>;

inline tl::unexpected<Error> fail(std::string what, std::string on, std::string why, std::string hint = {}) {
    return tl::unexpected(Error{std::move(what), std::move(on), std::move(why), std::move(hint)});
}

inline tl::unexpected<Error> fail(Error error) { return tl::unexpected(std::move(error)); }

inline tl::unexpected<Error> usage_error(std::string what, std::string on, std::string why, std::string hint = {}) {
    return tl::unexpected(Error{std::move(what), std::move(on), std::move(why), std::move(hint), ErrorKind::usage});
}

// The system's own words for an errno value.
std::string errno_text(int number);
// fail() with the words of the current errno.
tl::unexpected<Error> fail_errno(std::string what, std::string on);

}  // namespace pgtandem

// Names the value of a Result, or leaves the function with its error.
#define PGTANDEM_TRY(name, expression)                                           \
    auto name##_result = (expression);                                           \
    if (!name##_result) return tl::unexpected(std::move(name##_result).error()); \
    auto& name = *name##_result

// Leaves the function with the error of a Status, if it has one.
// The counter keeps a check inside a lambda inside a check from naming the same variable.
#define PGTANDEM_CHECK(expression) PGTANDEM_CHECK_NUMBERED(expression, __COUNTER__)
#define PGTANDEM_CHECK_NUMBERED(expression, number) PGTANDEM_CHECK_NAMED(expression, number)
#define PGTANDEM_CHECK_NAMED(expression, number)                       \
    do {                                                               \
        if (auto status_##number = (expression); !status_##number)     \
            return tl::unexpected(std::move(status_##number).error()); \
    } while (false)
