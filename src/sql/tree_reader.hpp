// Reads a parse tree in libpg_query's JSON, as a stream: no recursion, whatever the depth. Stops at the first thing
// that speaks against a replica, or that is not of the known shape.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/node_checks.hpp"

namespace pgtandem::sql {

class TreeReader {
public:
    explicit TreeReader(NodeChecks& checks) : checks_(checks) {}

    // Unescapes the strings in 'json' where they stand.
    Finding read(std::span<char> json);

    // What JsonScan calls.
    bool start_object();
    bool end_object();
    bool start_list();
    bool key(std::string_view name);
    bool text(std::string_view value);
    bool number(std::int64_t value);
    bool flag(bool value);

private:
    // A node, or the object with a type's name around one.
    struct Frame {
        NodeType const* type;
        bool is_name_around;
        Field const* field = nullptr;  // the one that is being read
        std::size_t first_name = 0;    // of its names in names_
        std::size_t args = 0;
        std::size_t ordered_args = 0;
        bool flag = false;
        std::optional<std::string_view> first_literal = {};
    };

    bool refuse(Reason reason, std::string_view detail);
    // Whether a field of this kind is being read; 'refuse_field' where nothing of the sort may stand.
    bool is_at(FieldKind kind) const {
        return !frames_.empty() && frames_.back().field != nullptr && frames_.back().field->kind == kind;
    }
    bool refuse_field();
    bool start_node(NodeType const* type);
    bool end_node();
    // Of the node around: its frame, or null.
    Frame* owner();
    void keep_names(Frame const& frame);

    NodeChecks& checks_;
    Finding finding_;
    std::vector<Frame> frames_;
    std::vector<std::string_view> names_;
};

}  // namespace pgtandem::sql
