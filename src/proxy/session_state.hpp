// What one client's session is, apart from any connection: its settings, its prepared statements, why it must keep its
// backend. Changed by what is about to run and by what the server says has completed. Pure.
#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/portals.hpp"
#include "proxy/prepared.hpp"
#include "proxy/session_settings.hpp"
#include "sql/analyze.hpp"
#include "sql/pins.hpp"

namespace pgtandem::proxy {

class SessionState {
public:
    SettingsRef const& settings() const { return settings_; }
    // For what a session has from its first moment on: its application_name.
    void begin_with(std::string const& name, std::string const& statement);
    // After RESET ALL and the like: to have again what it began with, this is still to be run on the backend; "" if nothing.
    std::string lacking_statements() const;
    bool lacks_first() const { return lacks_first_; }
    void lacks_nothing() { lacks_first_ = lacked_first_ = false; }

    // Where sessions give up their state with each transaction (pool mode transaction), nothing pins.
    void never_pin() { may_pin_ = false; }
    sql::Pins pins() const { return pins_; }
    // Whether what it creates without naming a schema may be temporary, by the search_path that it began with.
    void may_create_in_pg_temp(bool may) { may_create_in_pg_temp_ = may; }
    bool is_pinned() const { return !hard_pins().empty(); }
    // Those that keep the backend; of numbers, see drawn_numbers.
    sql::Pins hard_pins() const { return pins_.minus(sql::Pin::drawn_number | sql::Pin::sequence); }
    void pin(sql::Pins why, std::string_view statement);
    std::string const& pinned_by() const { return pinned_by_; }

    // Before a statement is sent: what it may leave behind. 'facts_hold' is false where the catalog is not known.
    void about_to_run(sql::Analysis const& analysis, std::string_view text, bool facts_hold);
    // Before a portal is bound: planning it may run code already.
    void about_to_plan(sql::Analysis const& analysis, std::string_view text, bool facts_hold);
    // CommandComplete for one statement, with the tag the server gave.
    void completed(sql::Effects const& effects, std::string_view tag);
    // The names that a statement defines for good, also where it is rolled back: of one that has completed they are noted already, one
    // that has failed may have come so far.
    void note_custom(sql::Effects const& effects);
    // ErrorResponse for any statement.
    void failed() { has_failed_ = true; }
    // ReadyForQuery outside of a transaction block. 'on_backend': the settings as the backend has them now; settings() is
    // what it should have. 'catalog_changed': the transaction has run DDL.
    struct Ended {
        SettingsRef on_backend;
        bool catalog_changed;
    };
    // 'date_style' is the DateStyle that the backend reports; 'is_last': nothing has been sent behind this transaction.
    Ended transaction_ended(std::string_view date_style, bool is_last);
    // Settings were changed by this transaction, for its own time or for good.
    bool has_pending_changes() const { return !changes_.empty(); }
    // The settings that hold within the transaction, as far as a parser reads them: SET LOCAL and what is not committed yet among them.
    SettingsRef settings_for_parser(std::string_view date_style);

    bool has_custom_setting(std::string_view name) const { return custom_ && custom_->contains(name); }
    std::set<std::string, std::less<>> const* custom_settings() const { return custom_.get(); }

    // Protocol-level prepared statements by the client's names. "" is the unnamed one.
    PreparedRef find(std::string_view name) const;
    void set(std::string_view name, PreparedRef statement);
    void drop_unnamed() { unnamed_.reset(); }
    using Statements = std::map<std::string, PreparedRef, std::less<>>;
    // But for the unnamed one.
    Statements const& statements() const;
    std::size_t statement_count() const { return statements().size(); }
    // Of the texts that it holds by name.
    std::size_t statement_bytes() const { return statement_bytes_; }

    void bind(std::string_view portal, PreparedRef statement, std::uint64_t since = 0);
    PreparedRef bound(std::string_view portal) const { return portals_.bound(portal); }
    Portals& portals() { return portals_; }

private:
    struct Savepoint {
        std::string name;
        std::size_t changes;  // how many there were
        sql::Pins unpins;
        bool lacks_first;
    };

    void pin_for(sql::Effects const& effects, std::string_view text, bool facts_hold);
    void note_settings_bytes(sql::Effects const& effects, std::string_view text);
    void forget_statements();
    void complete_date_style(std::string_view present);
    std::vector<Savepoint>::iterator last_savepoint(std::string_view name);
    void roll_back_to(std::string_view savepoint);
    void take_back_first(sql::SettingChange const& undone);
    SessionSettings lacking() const;
    SettingsRef without_lacking() const;

    SettingsRef settings_ = no_settings();
    SettingsRef first_settings_ = no_settings();
    bool lacks_first_ = false;  // the backend has been reset to less than the session began with
    bool lacked_first_ = false;  // what lacks_first_ was before this transaction
    std::vector<sql::SettingChange> changes_;  // of this transaction, those for its own time among them
    std::vector<Savepoint> savepoints_;
    sql::Pins pins_{};
    sql::Pins unpins_{};  // given up when this transaction commits
    // What was sent behind the last statement that unpins: when that completes, these have nothing to do with it.
    sql::Pins pinned_since_{};
    bool may_pin_ = true;
    bool may_create_in_pg_temp_ = false;
    std::string pinned_by_;
    bool changes_catalog_ = false;  // this transaction has run DDL
    bool has_failed_ = false;
    std::unique_ptr<std::set<std::string, std::less<>>> custom_;
    std::unique_ptr<Statements> statements_;
    std::size_t statement_bytes_ = 0;
    std::size_t settings_bytes_ = 0;  // those in force, and what this transaction has set
    bool has_too_many_settings_ = false;
    SettingsRef parsed_by_ = no_settings();    // settings_for_parser() of
    SettingsRef parsed_from_ = no_settings();  // these
    PreparedRef unnamed_;
    Portals portals_;
};

}  // namespace pgtandem::proxy
