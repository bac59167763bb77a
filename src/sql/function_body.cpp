#include "sql/function_body.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "sql/lexer.hpp"

namespace pgtandem::sql {

namespace {

// Whatever stands around them. What a statement creates may be called or touched by the next one, and is not known yet.
constexpr auto wild_words = std::to_array<std::string_view>(
    {"alter", "copy", "create", "deallocate", "discard", "drop", "execute", "hold", "import", "listen", "load", "prepare", "refresh", "reset",
     "temp", "temporary", "unlisten"});
// Behind these begins a statement, as behind a ';'.
constexpr auto openers = std::to_array<std::string_view>({"begin", "else", "loop", "then"});
// ON CONFLICT DO NOTHING, rather than a DO block.
constexpr auto behind_do = std::to_array<std::string_view>({"nothing", "update"});

bool is_one_of(std::string_view word, auto const& words) {
    return std::ranges::any_of(words, [&](std::string_view other) { return equals_folded(word, other); });
}

class BodyReader {
public:
    FunctionBody read(std::string_view text) {
        // Where strings do not conform to the standard it means something else.
        if (text.find('\\') != text.npos) body_.is_tame = false;
        Lexer lexer(text, true);
        for (auto token = lexer.next(); token.kind != Token::Kind::end; token = lexer.next()) {
            take(token);
            if (token.kind == Token::Kind::broken) break;
        }
        if (awaits_do_) body_.is_tame = false;
        return std::move(body_);
    }

private:
    void take(Token const& token) {
        using enum Token::Kind;
        bool const is_word = token.kind == word;
        if (std::exchange(awaits_do_, false) && !(is_word && is_one_of(token.text, behind_do))) body_.is_tame = false;
        if (token.kind == broken || token.kind == unicode) body_.is_tame = false;
        if (token.is(';')) updates_ = false;
        if (token.is_name()) body_.named.insert(identifier_text(token));
        if (token.kind == string) take_string(token.text);
        if (is_word) take_word(token.text);
    }

    void take_word(std::string_view word) {
        if (is_one_of(word, wild_words)) body_.is_tame = false;
        if (is_one_of(word, openers)) updates_ = false;
        if (equals_folded(word, "update")) updates_ = true;
        // UPDATE t SET, or a setting.
        if (equals_folded(word, "set") && !updates_) body_.is_tame = false;
        awaits_do_ = equals_folded(word, "do");
    }

    // It may name a sequence, or a function to be called by a function that takes its name.
    void take_string(std::string_view text) {
        Lexer lexer(text.substr(std::min(text.find_first_of("'$") + 1, text.size())), true);
        for (auto token = lexer.next(); token.kind != Token::Kind::end && token.kind != Token::Kind::broken; token = lexer.next()) {
            if (token.is_name()) body_.named.insert(identifier_text(token));
        }
    }

    FunctionBody body_;
    bool updates_ = false;
    bool awaits_do_ = false;
};

}  // namespace

FunctionBody read_function_body(std::string_view text) { return BodyReader().read(text); }

}  // namespace pgtandem::sql
