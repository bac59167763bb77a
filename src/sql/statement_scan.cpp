#include "sql/statement_scan.hpp"

#include <array>
#include <string>

namespace pgtandem::sql {

namespace {

using Kind = Token::Kind;

class Scanner {
public:
    explicit Scanner(CatalogFacts const& facts) : facts_(facts) {}

    // False: the statement ended before this token.
    bool add(Token const& token) {
        if (token.kind == Kind::end || (token.is(';') && !is_inside())) return false;
        if (token.is('(') && !pending_.empty()) scan_.pins |= pending_;
        if (token.is('(') && pending_set_config_) scan_.calls_set_config = true;
        pending_ = {};
        pending_set_config_ = false;
        if (token.is('(')) ++parentheses_;
        if (token.is(')') && parentheses_ > 0) --parentheses_;
        if (token.is_name()) add_name(token);
        if (token.kind == Kind::op) scan_.pins |= facts_.operator_symbol(token.text);
        if (token.kind == Kind::broken) scan_.is_broken = true;
        if (token.kind == Kind::word) add_word(token.text);
        if (scan_.token_count++ == 0) begin_ = token.text.data();
        end_ = token.text.data() + token.text.size();
        before_ = token;
        return true;
    }

    StatementScan finish(bool is_last) {
        if (begin_ != nullptr) scan_.text = {begin_, end_};
        scan_.is_last = is_last;
        scan_.pins |= read_;
        scan_.pins_of_writing = written_;
        if (scan_.writes) scan_.pins |= written_;
        if (scan_.may_insert) scan_.pins |= inserted_;
        return scan_;
    }

private:
    bool is_inside() const { return parentheses_ > 0 || atomic_depth_ > 0; }

    void add_name(Token const& token) {
        // What an escaped name stands for is not worth finding out.
        if (token.kind == Kind::unicode) scan_.pins |= Pin::unproven;
        if (!facts_.may_know(token)) return;
        auto const name = identifier_text(token);
        // What may be called there DISCARD TEMP does not undo.
        if (name.starts_with("pg_temp")) scan_.pins |= Pin::temporary_table | Pin::unproven;
        if (name == "pg_prepared_statements") scan_.pins |= Pin::statement_names;
        if (name == "pg_advisory_unlock_all") scan_.calls_unlock_all = true;
        auto const relation = facts_.relation(name);
        read_ |= relation.on_read;
        written_ |= relation.on_write;
        inserted_ |= relation.on_insert;
        // A function is also called as row.function.
        auto const function = facts_.function(name);
        if (name == "set_config" && function == Pins(Pin::unproven)) {
            pending_set_config_ = true;
            return;
        }
        if (before_.is('.')) scan_.pins |= function;
        pending_ = function;
    }

    void add_word(std::string_view word) {
        if (scan_.token_count == 0) {
            scan_.first_word = word;
            is_create_ = equals_folded(word, "create");
        }
        switch (word.size()) {
            case 3:
                // The END of a body stands behind the ';' of its last statement; any other END is a CASE's or a label.
                if (atomic_depth_ > 0 && (before_.is(';') || before_is_atomic_) && equals_folded(word, "end"))
                    --atomic_depth_;
                break;
            case 4: add_word_of_four(word); break;
            case 5:
                if (equals_folded(word, "merge")) scan_.writes = scan_.may_insert = true;
                break;
            case 6: add_word_of_six(word); break;
            case 7:
                if (equals_folded(word, "default")) scan_.may_insert = true;
                break;
            case 8:
                if (equals_folded(word, "truncate")) scan_.writes = true;
                break;
            case 9:
                if (equals_folded(word, "temporary")) note_temporary();
                break;
            default: break;
        }
        before_is_atomic_ = word.size() == 6 && atomic_depth_ > 0 && equals_folded(word, "atomic");
    }

    void add_word_of_four(std::string_view word) {
        if (equals_folded(word, "into")) scan_.has_into = true;
        if (equals_folded(word, "copy")) scan_.writes = scan_.may_insert = true;
        if (equals_folded(word, "temp")) note_temporary();
    }

    void add_word_of_six(std::string_view word) {
        if (equals_folded(word, "insert")) scan_.writes = scan_.may_insert = true;
        // FOR UPDATE and FOR NO KEY UPDATE write nothing.
        if (equals_folded(word, "update") && !is_behind("for") && !is_behind("key")) scan_.writes = true;
        if (equals_folded(word, "delete")) scan_.writes = true;
        if (is_create_ && equals_folded(word, "atomic") && is_behind("begin")) ++atomic_depth_;
    }

    bool is_behind(std::string_view keyword) const {
        return before_.kind == Kind::word && equals_folded(before_.text, keyword);
    }

    // A column may be named so too.
    void note_temporary() {
        for (auto const* const keyword : {"create", "replace", "into", "local", "global"}) {
            if (is_behind(keyword)) scan_.creates_temporary = true;
        }
    }

    CatalogFacts const& facts_;
    StatementScan scan_;
    Token before_{};
    char const* begin_ = nullptr;
    char const* end_ = nullptr;
    Pins read_;
    Pins written_;
    Pins inserted_;
    Pins pending_;  // of the function just named, if it is called
    bool pending_set_config_ = false;
    bool is_create_ = false;
    bool before_is_atomic_ = false;
    std::size_t parentheses_ = 0;
    std::size_t atomic_depth_ = 0;
};

}  // namespace

StatementScan scan_statement(Lexer& lexer, CatalogFacts const& facts) {
    Scanner scanner(facts);
    for (;;) {
        auto const token = lexer.next();
        if (!scanner.add(token)) return scanner.finish(token.kind == Kind::end);
        if (token.kind == Kind::broken) return scanner.finish(true);
    }
}

}  // namespace pgtandem::sql
