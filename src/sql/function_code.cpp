#include "sql/function_code.hpp"

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
// EXECUTE, RETURN QUERY EXECUTE, FOR ... IN EXECUTE, OPEN ... FOR EXECUTE.
constexpr std::string_view carries_out = "execute";
// Behind these begins a statement, as behind a ';'.
constexpr auto openers = std::to_array<std::string_view>({"begin", "else", "loop", "then"});
// ON CONFLICT DO NOTHING, rather than a DO block.
constexpr auto behind_do = std::to_array<std::string_view>({"nothing", "update"});

bool is_one_of(std::string_view word, auto const& words) {
    return std::ranges::any_of(words, [&](std::string_view other) { return equals_folded(word, other); });
}

void add_words_of(std::string_view text, bool (*is_part)(char), FunctionCode::Names& names) {
    for (auto const* at = text.begin(); at != text.end();) {
        auto const* const begin = std::find_if(at, text.end(), is_part);
        at = std::find_if_not(begin, text.end(), is_part);
        if (begin == at) continue;
        names.insert(identifier_text({Token::Kind::word, {begin, at}}));
        names.emplace(begin, at);
    }
}

// As they stand and as PostgreSQL folds them, whatever is around them: a '$' may belong to a word, or to a quote.
void add_words(std::string_view text, FunctionCode::Names& names) {
    add_words_of(text, [](char c) { return identifier_fold[static_cast<unsigned char>(c)] != 0; }, names);
    add_words_of(text, [](char c) { return c != '$' && identifier_fold[static_cast<unsigned char>(c)] != 0; }, names);
}

class CodeReader {
public:
    FunctionCode read(std::string_view text) {
        text_ = text;
        // Where strings do not conform to the standard it means something else.
        if (text.find('\\') != text.npos) code_.is_tame = false;
        Lexer lexer(text, true);
        for (auto token = lexer.next(); token.kind != Token::Kind::end; token = lexer.next()) {
            take(token);
            if (token.kind == Token::Kind::broken) {
                take_as_words({token.text.begin(), text.end()});
                break;
            }
        }
        if (awaits_do_) code_.is_tame = false;
        code_.named.insert(code_.called.begin(), code_.called.end());
        return std::move(code_);
    }

private:
    void take_as_words(std::string_view text) {
        code_.is_tame = false;
        code_.has_unknown_operators = true;
        add_words(text, code_.called);
        code_.runs_text = code_.runs_text || code_.called.contains(carries_out);
    }

    void take(Token const& token) {
        using enum Token::Kind;
        bool const is_word = token.kind == word;
        if (std::exchange(awaits_do_, false) && !(is_word && is_one_of(token.text, behind_do))) code_.is_tame = false;
        // An escaped name or string: not worth reading.
        if (token.kind == unicode) {
            code_.is_tame = false;
            code_.runs_text = true;
        }
        if (token.is(';')) updates_ = false;
        // A function is also called as row.function.
        if (token.is_name() && before_.is('.')) code_.called.insert(identifier_text(token));
        if (token.is('(') && before_.is_name()) code_.called.insert(identifier_text(before_));
        if (token.kind == op) code_.operators.emplace(token.text);
        if (token.is_name()) code_.named.insert(identifier_text(token));
        if (token.kind == string) take_string(token.text);
        if (is_word) take_word(token.text);
        before_ = token;
    }

    void take_word(std::string_view word) {
        if (is_one_of(word, wild_words)) code_.is_tame = false;
        if (equals_folded(word, carries_out)) code_.runs_text = true;
        if (is_one_of(word, openers)) updates_ = false;
        if (equals_folded(word, "update")) updates_ = true;
        // UPDATE t SET, or a setting.
        if (equals_folded(word, "set") && !updates_) code_.is_tame = false;
        awaits_do_ = equals_folded(word, "do");
    }

    // It may name a sequence, or a function to be called by a function that takes its name, or be carried out.
    void take_string(std::string_view text) {
        // It may end elsewhere: any word may be code.
        bool const may_end_elsewhere = text.starts_with('\'') && text.find('\\') != text.npos;
        if (may_end_elsewhere && !std::exchange(has_all_words_, true)) take_as_words(text_);
        auto const inside = text.substr(std::min(text.find_first_of("'$") + 1, text.size()));
        add_words(inside, code_.called);
        Lexer lexer(inside, true);
        for (auto token = lexer.next(); token.kind != Token::Kind::end && token.kind != Token::Kind::broken; token = lexer.next()) {
            if (token.kind == Token::Kind::quoted) code_.called.insert(identifier_text(token));
        }
    }

    std::string_view text_;
    FunctionCode code_;
    Token before_{};
    bool updates_ = false;
    bool awaits_do_ = false;
    bool has_all_words_ = false;
};

}  // namespace

FunctionCode unread_code() {
    return {.is_too_long = true, .is_tame = false, .runs_text = true, .called = {}, .named = {}, .operators = {}, .has_unknown_operators = true};
}

FunctionCode read_function_code(std::string_view text) {
    return text.size() > function_code_max ? unread_code() : CodeReader().read(text);
}

FunctionCode read_foreign_code(std::string_view text) {
    if (text.size() > function_code_max) return unread_code();
    FunctionCode code{.is_tame = false, .runs_text = true, .called = {}, .named = {}, .operators = {}, .has_unknown_operators = true};
    add_words(text, code.called);
    code.named = code.called;
    return code;
}

}  // namespace pgtandem::sql
