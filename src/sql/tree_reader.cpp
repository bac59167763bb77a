#include "sql/tree_reader.hpp"

namespace pgtandem::sql {

namespace {

// CURSOR_OPT_HOLD of nodes/parsenodes.h.
constexpr std::uint64_t hold_flag = 0x20;

}  // namespace

Finding TreeReader::read(std::string_view json) {
    nlohmann::json::sax_parse(json, this);
    return std::move(finding_);
}

bool TreeReader::refuse(Reason reason, std::string detail) {
    finding_ = {reason, std::move(detail)};
    return false;
}

bool TreeReader::parse_error(std::size_t, std::string const&, nlohmann::json::exception const& error) {
    return refuse(Reason::unparsable, error.what());
}

bool TreeReader::scalar() {
    if (frames_.empty() || frames_.back().field == nullptr) return refuse(Reason::unknown_syntax, "");
    auto const& field = *frames_.back().field;
    if (field.kind == FieldKind::plain) return true;
    return refuse(field.reason, std::string(field.name));
}

bool TreeReader::boolean(bool value) {
    if (frames_.empty() || frames_.back().field == nullptr || frames_.back().field->kind != FieldKind::flag)
        return scalar();
    frames_.back().flag = value;
    return true;
}

bool TreeReader::number_unsigned(std::uint64_t value) {
    if (frames_.empty() || frames_.back().field == nullptr) return scalar();
    if (frames_.back().field->kind != FieldKind::hold_flags) return scalar();
    return (value & hold_flag) == 0 || refuse(Reason::hold_cursor, "WITH HOLD");
}

bool TreeReader::string(std::string& value) {
    if (frames_.empty() || frames_.back().field == nullptr || frames_.back().field->kind != FieldKind::text)
        return scalar();
    names_.push_back(std::move(value));
    return true;
}

bool TreeReader::start_array(std::size_t) {
    if (frames_.empty() || frames_.back().field == nullptr) return refuse(Reason::unknown_syntax, "list");
    switch (frames_.back().field->kind) {
        case FieldKind::node:
        case FieldKind::arguments:
        case FieldKind::inner:
        case FieldKind::names: return true;
        default: return scalar();
    }
}

bool TreeReader::start_object(std::size_t) {
    if (frames_.empty()) return start_node(find_node_type("ParseResult"));
    auto& frame = frames_.back();
    if (frame.is_name_around) return start_node(frame.type);
    if (frame.field == nullptr) return refuse(Reason::unknown_syntax, "");
    switch (frame.field->kind) {
        case FieldKind::inner: return start_node(find_node_type(frame.field->inner));
        case FieldKind::arguments: ++(frame.field->name == "args" ? frame.args : frame.ordered_args); [[fallthrough]];
        case FieldKind::node:
        case FieldKind::names: frames_.push_back({.type = nullptr, .is_name_around = true}); return true;
        default: return scalar();
    }
}

bool TreeReader::start_node(NodeType const* type) {
    if (type == nullptr) return refuse(Reason::unknown_syntax, "");
    frames_.push_back({.type = type, .is_name_around = false, .first_name = names_.size()});
    return true;
}

bool TreeReader::key(std::string& name) {
    auto& frame = frames_.back();
    if (frame.is_name_around) {
        frame.type = find_node_type(name);
        return frame.type != nullptr || refuse(reason_against(name), name);
    }
    frame.field = frame.type->find(name);
    if (frame.field == nullptr) return refuse(Reason::unknown_syntax, std::string(frame.type->name) + "." + name);
    if (frame.field->kind == FieldKind::refused) return refuse(frame.field->reason, name);
    return true;
}

bool TreeReader::end_object() {
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
    auto const frame = std::move(frames_.back());
    frames_.pop_back();
    auto const args = frame.args + (frame.flag ? frame.ordered_args : 0);
    std::span const names(names_.begin() + static_cast<std::ptrdiff_t>(frame.first_name), names_.end());
    if (auto found = checks_.check(frame.type->check, {names, args, frame.first_literal}); found.reason != Reason::read)
        return refuse(found.reason, std::move(found.detail));
    keep_names(frame);
    return true;
}

// Names go up to a node whose field they are of, and a constant's text to a call that it is the first argument of.
void TreeReader::keep_names(Frame const& frame) {
    auto* const around = owner();
    bool const is_text = frame.type->name == "String";
    if (around != nullptr && is_text && around->field->kind == FieldKind::names) return;
    if (around != nullptr && is_text && around->type->check == Check::constant) return;
    bool const is_first = around != nullptr && around->field->kind == FieldKind::arguments && around->args == 1;
    if (is_first && frame.type->check == Check::constant && names_.size() > frame.first_name)
        around->first_literal = std::move(names_.back());
    names_.resize(frame.first_name);
}

}  // namespace pgtandem::sql
