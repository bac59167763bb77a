// What the catalog says of the nodes of one parse tree.
#pragma once
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/doubts.hpp"
#include "sql/touched.hpp"
#include "sql/tree_shape.hpp"

namespace pgtandem::sql {

struct Finding {
    Reason reason = Reason::read;
    std::string detail = {};
};

// What was read of a node, in the tree's own text.
struct NodeText {
    std::span<std::string_view const> names;
    std::size_t args = 0;
    std::optional<std::string_view> first_literal = {};  // the first argument, where it is a string
};

class NodeChecks {
public:
    // 'may_write': what is written is to be found, and nothing else is to happen.
    NodeChecks(Doubts const& doubts, SearchPath const& path, bool may_write = false)
        : doubts_(doubts), path_(path), may_write_(may_write), touched_{doubts.reach.is_everywhere(), {}} {}

    Finding check(Check check, NodeText const& node);
    bool may_write() const { return may_write_; }
    // What was found harmless reads and writes no other relations.
    Touched const& touched() const { return touched_; }
    bool depends_on_literals() const { return depends_on_literals_; }

private:
    struct Relation {
        std::string schema;
        std::string name;
    };

    Finding check_function(NodeText const& node);
    bool asks_for_local_setting(NodeText const& node);
    Finding check_relation(NodeText const& node);
    Finding check_operator(NodeText const& node);
    Finding check_fields(std::span<std::string_view const> names);
    Finding finish_statement();
    Finding look_up(Relation const& relation) const;
    void touch(Relation const& relation);

    Doubts const& doubts_;
    SearchPath const& path_;
    std::vector<Relation> relations_;  // of this statement
    std::set<std::string, std::less<>> common_tables_;
    bool may_write_;
    Touched touched_;
    bool depends_on_literals_ = false;
};

}  // namespace pgtandem::sql
