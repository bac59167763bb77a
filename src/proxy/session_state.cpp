#include "proxy/session_state.hpp"

#include <algorithm>

#include "pg/quoting.hpp"
#include "proxy/parse_settings.hpp"

namespace pgtandem::proxy {

namespace {

constexpr std::size_t shown_statement = 80;
constexpr std::size_t most_settings = 1000;
constexpr std::size_t most_settings_bytes = 1 << 20;
// The server tells names apart by so many bytes (NAMEDATALEN - 1).

std::size_t bytes_of(std::string_view name, PreparedRef const& statement) { return name.size() + statement->bytes(); }

std::size_t bytes_of(SessionSettings const& settings) {
    std::size_t bytes = 0;
    for (auto const& [name, statement] : settings) bytes += name.size() + statement.size();
    return bytes;
}

std::string date_style_statement(std::string_view value) { return "SET datestyle TO " + quoted_literal(value); }

}  // namespace

void SessionState::begin_with(std::string const& name, std::string const& statement) {
    first_settings_ = changed(no_settings(), {{sql::SettingChange::Kind::set, name, statement}});
    settings_ = first_settings_;
}

void SessionState::pin(sql::Pins why, std::string_view statement) {
    if (why.empty() || !may_pin_) return;
    bool const was_pinned = is_pinned();
    pins_ = pins_ | why;
    if (!was_pinned && is_pinned()) pinned_by_ = statement.substr(0, shown_statement);
    pinned_since_ |= why;
    unpins_ = unpins_.minus(why);
}

void SessionState::about_to_plan(sql::Analysis const& analysis, std::string_view text, bool facts_hold) {
    for (auto const& effects : analysis.statements) pin_for(effects, text, facts_hold);
}

void SessionState::pin_for(sql::Effects const& effects, std::string_view text, bool facts_hold) {
    pin(effects.pins, text);
    // What this transaction has just made is not in the facts: a trigger, a function.
    bool const is_known = facts_hold && !changes_catalog_;
    if (!is_known && runs_on_catalog(effects)) pin(sql::Pin::unproven, text);
    if (effects.changes_catalog && may_create_in_pg_temp_) pin(sql::Pin::temporary_table | sql::Pin::unproven, text);
}

void SessionState::about_to_run(sql::Analysis const& analysis, std::string_view text, bool facts_hold) {
    for (auto const& effects : analysis.statements) {
        if (!effects.unpins.empty()) pinned_since_ = {};
        pin_for(effects, text, facts_hold);
        // A temporary table is nobody else's business.
        if (effects.changes_catalog && !effects.pins.contains(sql::Pin::temporary_table)) changes_catalog_ = true;
        note_settings_bytes(effects, text);
    }
}

// Each is compared and brought along one by one: a session with very many, or very long ones, keeps its backend, and nothing more is
// followed.
void SessionState::note_settings_bytes(sql::Effects const& effects, std::string_view text) {
    for (auto const& change : effects.settings) settings_bytes_ += change.name.size() + change.replay.size();
    auto const count = settings_->size() + changes_.size() + (custom_ ? custom_->size() : 0);
    bool const is_too_much = may_pin_ && (count > most_settings || settings_bytes_ > most_settings_bytes);
    if (!is_too_much || has_too_many_settings_) return;
    has_too_many_settings_ = true;
    pin(sql::Pin::unproven, text);
}

void SessionState::completed(sql::Effects const& effects, std::string_view tag) {
    switch (effects.verb) {
        case sql::Verb::commit:
        case sql::Verb::rollback:
            if (tag != "COMMIT") {
                lacks_first_ = lacked_first_;
                changes_.clear();
                unpins_ = {};
            }
            settings_ = changed(settings_, changes_);
            lacked_first_ = lacks_first_;
            changes_.clear();
            savepoints_.clear();
            has_failed_ = false;
            break;
        case sql::Verb::savepoint:
            savepoints_.push_back({effects.name, changes_.size(), unpins_, lacks_first_});
            break;
        case sql::Verb::release:
            savepoints_.erase(last_savepoint(effects.name), savepoints_.end());
            portals_.released(savepoints_.size());
            break;
        case sql::Verb::rollback_to:
            has_failed_ = false;
            roll_back_to(effects.name);
            break;
        case sql::Verb::deallocate: set(effects.name, nullptr); break;
        case sql::Verb::deallocate_all: forget_statements(); break;
        case sql::Verb::discard_all:
            forget_statements();
            changes_.clear();
            settings_ = no_settings();
            take_back_first({sql::SettingChange::Kind::reset_all, "", ""});
            break;
        default: break;
    }
    note_custom(effects);
    for (auto const& change : effects.settings) {
        if (has_too_many_settings_) break;
        changes_.push_back(change);
        bool const is_reset = change.kind != sql::SettingChange::Kind::set && change.kind != sql::SettingChange::Kind::set_local;
        if (is_reset) take_back_first(change);
    }
    unpins_ |= effects.unpins.minus(pinned_since_);
}

// "iso" and "ymd", set one after the other, are both in force: what brings them to another backend is what the server made of them.
void SessionState::complete_date_style(std::string_view present) {
    auto const found = settings_->find("datestyle");
    if (found == settings_->end() || present.empty()) return;
    settings_ = changed(settings_, {{sql::SettingChange::Kind::set, "datestyle", date_style_statement(present)}});
}

SettingsRef SessionState::settings_for_parser(std::string_view date_style) {
    if (changes_.empty()) {
        if (parsed_from_ != settings_) parsed_by_ = proxy::settings_for_parser(settings_);
        parsed_from_ = settings_;
        return parsed_by_;
    }
    auto changes = changes_;
    std::string style(date_style);
    for (auto& change : changes) {
        if (change.kind == sql::SettingChange::Kind::set_local) change.kind = sql::SettingChange::Kind::set;
        if (change.name != "datestyle" || change.kind != sql::SettingChange::Kind::set) continue;
        // The server reports it only when the transaction has ended.
        style = date_style_after(style, change.replay);
        if (!style.empty()) change.replay = date_style_statement(style);
    }
    return proxy::settings_for_parser(changed(settings_, changes));
}

SessionState::Ended SessionState::transaction_ended(std::string_view date_style, bool is_last) {
    // A transaction block has ended by its own statement before; what is left are statements outside of one.
    if (!has_failed_ && !changes_.empty()) settings_ = changed(settings_, changes_);
    complete_date_style(date_style);
    if (!changes_.empty()) settings_bytes_ = bytes_of(*settings_);
    if (!has_failed_) pins_ = pins_.minus(unpins_);
    lacked_first_ = lacks_first_ = has_failed_ ? lacked_first_ : lacks_first_;
    unpins_ = {};
    if (!is_pinned()) pinned_by_.clear();
    changes_.clear();
    auto const on_backend = lacks_first_ ? without_lacking() : settings_;
    savepoints_.clear();
    has_failed_ = false;
    bool const catalog_changed = changes_catalog_;
    // What was sent behind it may be of a transaction that has not ended.
    if (is_last) {
        changes_catalog_ = false;
        portals_.end_all();
    }
    return {on_backend, catalog_changed};
}

// A reset brings back what the server began the session with; what the client began it with was added to that.
void SessionState::take_back_first(sql::SettingChange const& undone) {
    for (auto const& [name, statement] : *first_settings_) {
        if (undone.kind == sql::SettingChange::Kind::reset && undone.name != name) continue;
        changes_.push_back({sql::SettingChange::Kind::set, name, statement});
        lacks_first_ = true;
    }
}

// Of what the session began with: what it has now again, and has not set to something else since.
SessionSettings SessionState::lacking() const {
    SessionSettings lacking;
    auto const present = changed(settings_, changes_);
    for (auto const& first : *first_settings_) {
        auto const found = present->find(first.first);
        if (found != present->end() && *found == first) lacking.insert(first);
    }
    return lacking;
}

std::string SessionState::lacking_statements() const {
    return lacks_first_ ? statements_between(*no_settings(), lacking()) : std::string();
}

SettingsRef SessionState::without_lacking() const {
    std::vector<sql::SettingChange> resets;
    for (auto const& [name, statement] : lacking()) resets.push_back({sql::SettingChange::Kind::reset, name, ""});
    return changed(settings_, resets);
}

void SessionState::note_custom(sql::Effects const& effects) {
    for (auto const& change : effects.settings) {
        if (!is_custom(change.name) || has_too_many_settings_) continue;
        if (!custom_) custom_ = std::make_unique<std::set<std::string, std::less<>>>();
        custom_->insert(change.name);
    }
}

// The end where there is none of that name.
std::vector<SessionState::Savepoint>::iterator SessionState::last_savepoint(std::string_view name) {
    auto const found = std::ranges::find(savepoints_.rbegin(), savepoints_.rend(), name, &Savepoint::name);
    return found == savepoints_.rend() ? savepoints_.end() : std::prev(found.base());
}

void SessionState::roll_back_to(std::string_view savepoint) {
    auto const found = last_savepoint(savepoint);
    if (found == savepoints_.end()) return;
    changes_.resize(std::min(changes_.size(), found->changes));
    // UNLISTEN is undone. What is not undone, as a statement prepared since then, has taken its pin's end away itself.
    unpins_ = unpins_ & found->unpins;
    lacks_first_ = found->lacks_first;
    savepoints_.erase(std::next(found), savepoints_.end());
    portals_.rolled_back(savepoints_.size());
}

SessionState::Statements const& SessionState::statements() const {
    static Statements const none;
    return statements_ ? *statements_ : none;
}

void SessionState::forget_statements() {
    statements_.reset();
    statement_bytes_ = 0;
}

PreparedRef SessionState::find(std::string_view name) const {
    if (name.empty()) return unnamed_;
    if (!statements_) return nullptr;
    name = name.substr(0, name_length_max);
    auto const found = statements_->find(name);
    return found == statements_->end() ? nullptr : found->second;
}

void SessionState::set(std::string_view name, PreparedRef statement) {
    if (name.empty()) {
        unnamed_ = std::move(statement);
        return;
    }
    name = name.substr(0, name_length_max);
    if (statements_) {
        if (auto const found = statements_->find(name); found != statements_->end()) {
            statement_bytes_ -= bytes_of(name, found->second);
            statements_->erase(found);
        }
    }
    if (!statement) return;
    if (!statements_) statements_ = std::make_unique<Statements>();
    statement_bytes_ += bytes_of(name, statement);
    statements_->emplace(name, std::move(statement));
}

void SessionState::bind(std::string_view portal, PreparedRef statement, std::uint64_t since) {
    portals_.bind(portal, std::move(statement), since, savepoints_.size());
}

}  // namespace pgtandem::proxy
