// The JSON that libpg_query writes, as a stream of its parts. Trusted to be well formed; strings are unescaped where
// they stand, so that all that is told are views. Three times as fast, on the whole, as with a reader of any JSON.
#pragma once
#include <charconv>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace pgtandem::sql {

class JsonScan {
public:
    explicit JsonScan(std::span<char> text) : at_(text.data()), end_(text.data() + text.size()) {}

    // Handler: start_object(), end_object(), start_list(), key(name), text(value), number(value), flag(value), each of
    // which may end it by false. False too where the text is not of this kind.
    template <class Handler>
    bool run(Handler& handler) {
        while (at_ < end_) {
            if (!step(handler)) return false;
        }
        return true;
    }

private:
    template <class Handler>
    bool step(Handler& handler) {
        switch (*at_) {
            case '{': ++at_; return handler.start_object();
            case '}': ++at_; return handler.end_object();
            case '[': ++at_; return handler.start_list();
            case ']':
            case ',':
            case ' ': ++at_; return true;
            case '"': return quoted(handler);
            case 't':
            case 'f': return flag(handler);
            default: return number(handler);
        }
    }

    template <class Handler>
    bool quoted(Handler& handler) {
        auto const text = take_string();
        if (!text) return false;
        if (at_ == end_ || *at_ != ':') return handler.text(*text);
        ++at_;
        return handler.key(*text);
    }

    template <class Handler>
    bool flag(Handler& handler) {
        std::string_view const rest(at_, static_cast<std::size_t>(end_ - at_));
        bool const value = rest.starts_with("true");
        if (!value && !rest.starts_with("false")) return false;
        at_ += value ? 4 : 5;
        return handler.flag(value);
    }

    template <class Handler>
    bool number(Handler& handler) {
        std::int64_t value = 0;
        auto const [rest, error] = std::from_chars(at_, end_, value);
        if (error != std::errc()) return false;
        at_ += rest - at_;
        return handler.number(value);
    }

    // Behind it; nothing where it does not end, or has an escape that libpg_query does not write.
    std::optional<std::string_view> take_string();
    std::optional<char> take_escaped();

    char* at_;
    char* end_;
};

}  // namespace pgtandem::sql
