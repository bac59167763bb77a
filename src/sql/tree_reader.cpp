#include "sql/tree_reader.hpp"

#include "sql/json_scan.hpp"

namespace pgtandem::sql {

namespace {

// CURSOR_OPT_HOLD of nodes/parsenodes.h.
constexpr std::int64_t hold_flag = 0x20;

}  // namespace

Finding TreeReader::read(std::span<char> json) {
    bool const is_whole = JsonScan(json).run(*this) && frames_.empty();
    if (!is_whole && finding_.reason == Reason::read) refuse(Reason::unknown_syntax, "the tree is not whole");
    return std::move(finding_);
}

bool TreeReader::refuse(Reason reason, std::string_view detail) {
    finding_ = {reason, std::string(detail)};
    return false;
}

bool TreeReader::refuse_field() {
    if (frames_.empty() || frames_.back().field == nullptr) return refuse(Reason::unknown_syntax, "");
    return refuse(Reason::unknown_syntax, frames_.back().field->name);
}

bool TreeReader::text(std::string_view value) {
    if (is_at(FieldKind::plain)) return true;
    if (!is_at(FieldKind::text)) return refuse_field();
    names_.push_back(value);
    return true;
}

bool TreeReader::number(std::int64_t value) {
    if (is_at(FieldKind::plain)) return true;
    if (!is_at(FieldKind::hold_flags)) return refuse_field();
    return (value & hold_flag) == 0 || refuse(Reason::hold_cursor, "WITH HOLD");
}

bool TreeReader::flag(bool value) {
    if (is_at(FieldKind::plain) || is_at(FieldKind::refused_in_reads)) return true;
    if (!is_at(FieldKind::flag)) return refuse_field();
    frames_.back().flag = value;
    return true;
}

bool TreeReader::start_list() {
    for (auto const kind : {FieldKind::node, FieldKind::refused_in_reads, FieldKind::arguments, FieldKind::inner, FieldKind::names}) {
        if (is_at(kind)) return true;
    }
    return refuse_field();
}

bool TreeReader::start_object() {
    if (frames_.empty()) return start_node(find_node_type("ParseResult"));
    auto& frame = frames_.back();
    if (frame.is_name_around) return start_node(frame.type);
    if (is_at(FieldKind::inner)) return start_node(find_node_type(frame.field->inner));
    if (is_at(FieldKind::arguments)) {
        ++(frame.field->name == "args" ? frame.args : frame.ordered_args);
    } else if (!is_at(FieldKind::node) && !is_at(FieldKind::names) && !is_at(FieldKind::refused_in_reads)) {
        return refuse_field();
    }
    frames_.push_back({.type = nullptr, .is_name_around = true});
    return true;
}

bool TreeReader::start_node(NodeType const* type) {
    if (type == nullptr) return refuse(Reason::unknown_syntax, "");
    frames_.push_back({.type = type, .is_name_around = false, .first_name = names_.size()});
    return true;
}

bool TreeReader::key(std::string_view name) {
    if (frames_.empty()) return refuse(Reason::unknown_syntax, name);
    auto& frame = frames_.back();
    if (frame.is_name_around) {
        frame.type = find_node_type(name);
        bool const is_known = frame.type != nullptr && (frame.type->check != Check::write || checks_.may_write());
        return is_known || refuse(reason_against(name), name);
    }
    frame.field = frame.type->find(name);
    if (frame.field == nullptr)
        return refuse(Reason::unknown_syntax, std::string(frame.type->name) + "." + std::string(name));
    bool const is_refused = frame.field->kind == FieldKind::refused || (frame.field->kind == FieldKind::refused_in_reads && !checks_.may_write());
    return !is_refused || refuse(frame.field->reason, name);
}

bool TreeReader::end_object() {
    if (frames_.empty()) return refuse(Reason::unknown_syntax, "");
    if (!frames_.back().is_name_around) return end_node();
    frames_.pop_back();
    return true;
}

TreeReader::Frame* TreeReader::owner() {
    for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
        if (!frame->is_name_around) return &*frame;
    }
    return nullptr;
}

bool TreeReader::end_node() {
    auto const frame = frames_.back();
    frames_.pop_back();
    auto const args = frame.args + (frame.flag ? frame.ordered_args : 0);
    auto const names = std::span(names_).subspan(frame.first_name);
    if (auto const found = checks_.check(frame.type->check, {names, args, frame.first_literal});
        found.reason != Reason::read)
        return refuse(found.reason, found.detail);
    keep_names(frame);
    return true;
}

// Names go up to a node whose field they are of, and a constant's text to a call that it is the first argument of.
void TreeReader::keep_names(Frame const& frame) {
    auto* const around = owner();
    bool const is_text = around != nullptr && frame.type->name == "String";
    if (is_text && (around->field->kind == FieldKind::names || around->type->check == Check::constant)) return;
    bool const is_first = around != nullptr && around->field->kind == FieldKind::arguments && around->args == 1;
    if (is_first && frame.type->check == Check::constant && names_.size() > frame.first_name)
        around->first_literal = names_.back();
    names_.resize(frame.first_name);
}

}  // namespace pgtandem::sql
