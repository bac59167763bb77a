#include "sql/tree_shape.hpp"

#include <algorithm>
#include <iterator>

namespace pgtandem::sql {

namespace {

constexpr Field plain(std::string_view name) { return {name, FieldKind::plain}; }
constexpr Field node(std::string_view name) { return {name, FieldKind::node}; }
constexpr Field names(std::string_view name) { return {name, FieldKind::names}; }
constexpr Field text(std::string_view name) { return {name, FieldKind::text}; }
constexpr Field flag(std::string_view name) { return {name, FieldKind::flag}; }
constexpr Field arguments(std::string_view name) { return {name, FieldKind::arguments}; }
constexpr Field inner(std::string_view name, std::string_view type) { return {name, FieldKind::inner, type}; }
constexpr Field refused(std::string_view name, Reason reason) { return {name, FieldKind::refused, {}, reason}; }
constexpr Field refused_in_reads(std::string_view name, Reason reason) { return {name, FieldKind::refused_in_reads, {}, reason}; }

constexpr Field location = plain("location");
constexpr Field alias = inner("alias", "Alias");
constexpr Field type_name = inner("typeName", "TypeName");

constexpr Field parse_result[] = {plain("version"), inner("stmts", "RawStmt")};
constexpr Field raw_stmt[] = {node("stmt"), plain("stmt_location"), plain("stmt_len")};
constexpr Field select_stmt[] = {node("distinctClause"),
                                 refused("intoClause", Reason::select_into),
                                 node("targetList"),
                                 node("fromClause"),
                                 node("whereClause"),
                                 node("groupClause"),
                                 plain("groupDistinct"),
                                 node("havingClause"),
                                 node("windowClause"),
                                 node("valuesLists"),
                                 node("sortClause"),
                                 node("limitOffset"),
                                 node("limitCount"),
                                 plain("limitOption"),
                                 refused_in_reads("lockingClause", Reason::locks_rows),
                                 inner("withClause", "WithClause"),
                                 plain("op"),
                                 plain("all"),
                                 inner("larg", "SelectStmt"),
                                 inner("rarg", "SelectStmt")};
constexpr Field locking_clause[] = {node("lockedRels"), plain("strength"), plain("waitPolicy")};
constexpr Field insert_stmt[] = {inner("relation", "RangeVar"),
                                 node("cols"),
                                 node("selectStmt"),
                                 inner("onConflictClause", "OnConflictClause"),
                                 node("returningList"),
                                 inner("withClause", "WithClause"),
                                 plain("override")};
constexpr Field on_conflict_clause[] = {plain("action"), inner("infer", "InferClause"), node("targetList"), node("whereClause"), location};
constexpr Field infer_clause[] = {node("indexElems"), node("whereClause"), plain("conname"), location};
constexpr Field index_elem[] = {plain("name"), node("expr"), plain("indexcolname"), node("collation"), plain("ordering"), plain("nulls_ordering")};
constexpr Field update_stmt[] = {inner("relation", "RangeVar"), node("targetList"),    node("whereClause"),
                                 node("fromClause"),            node("returningList"), inner("withClause", "WithClause")};
constexpr Field delete_stmt[] = {inner("relation", "RangeVar"), node("usingClause"), node("whereClause"), node("returningList"),
                                 inner("withClause", "WithClause")};
constexpr Field multi_assign_ref[] = {node("source"), plain("colno"), plain("ncolumns")};
constexpr Field explain_stmt[] = {node("query"), node("options")};
constexpr Field variable_show_stmt[] = {text("name")};
constexpr Field copy_stmt[] = {inner("relation", "RangeVar"),
                               node("query"),
                               node("attlist"),
                               node("options"),
                               refused_in_reads("is_from", Reason::writes),
                               refused("is_program", Reason::side_effect),
                               refused("filename", Reason::side_effect)};
constexpr Field declare_cursor_stmt[] = {plain("portalname"), {"options", FieldKind::hold_flags}, node("query")};
constexpr Field def_elem[] = {plain("defnamespace"), plain("defname"), node("arg"), plain("defaction"), location};

constexpr Field with_clause[] = {node("ctes"), plain("recursive"), location};
constexpr Field common_table_expr[] = {text("ctename"),
                                       node("aliascolnames"),
                                       plain("ctematerialized"),
                                       node("ctequery"),
                                       inner("search_clause", "CTESearchClause"),
                                       inner("cycle_clause", "CTECycleClause"),
                                       location};
constexpr Field cte_search_clause[] = {node("search_col_list"), plain("search_breadth_first"),
                                       plain("search_seq_column"), location};
constexpr Field cte_cycle_clause[] = {node("cycle_col_list"),     plain("cycle_mark_column"), node("cycle_mark_value"),
                                      node("cycle_mark_default"), plain("cycle_path_column"), location};

constexpr Field range_var[] = {
    plain("catalogname"), text("schemaname"), text("relname"), plain("inh"), plain("relpersistence"), alias, location};
constexpr Field alias_fields[] = {plain("aliasname"), node("colnames")};
constexpr Field join_expr[] = {plain("jointype"),   plain("isNatural"),
                               node("larg"),        node("rarg"),
                               node("usingClause"), inner("join_using_alias", "Alias"),
                               node("quals"),       alias,
                               plain("rtindex")};
constexpr Field range_subselect[] = {plain("lateral"), node("subquery"), alias};
constexpr Field range_function[] = {
    plain("lateral"), plain("ordinality"), plain("is_rowsfrom"), node("functions"), alias, node("coldeflist")};
constexpr Field column_def[] = {plain("colname"), type_name, plain("is_local"), inner("collClause", "CollateClause"),
                                location};
constexpr Field range_table_sample[] = {node("relation"), names("method"), node("args"), node("repeatable"), location};
constexpr Field range_table_func[] = {plain("lateral"), node("docexpr"), node("rowexpr"), node("namespaces"),
                                      node("columns"),  alias,           location};
constexpr Field range_table_func_col[] = {
    plain("colname"),   type_name, plain("for_ordinality"), plain("is_not_null"), node("colexpr"),
    node("coldefexpr"), location};

constexpr Field res_target[] = {plain("name"), node("indirection"), node("val"), location};
constexpr Field column_ref[] = {names("fields"), location};
constexpr Field a_indirection[] = {node("arg"), names("indirection")};
constexpr Field a_indices[] = {plain("is_slice"), node("lidx"), node("uidx")};
constexpr Field param_ref[] = {plain("number"), location};
constexpr Field a_const[] = {plain("isnull"),
                             inner("ival", "Integer"),
                             inner("fval", "Float"),
                             inner("sval", "String"),
                             inner("boolval", "Boolean"),
                             inner("bsval", "BitString"),
                             location};
constexpr Field integer[] = {plain("ival")};
constexpr Field float_[] = {plain("fval")};
constexpr Field string[] = {text("sval")};
constexpr Field boolean[] = {plain("boolval")};
constexpr Field bit_string[] = {plain("bsval")};
constexpr Field list[] = {node("items")};
constexpr Field a_expr[] = {plain("kind"), names("name"), node("lexpr"), node("rexpr"), location};
constexpr Field bool_expr[] = {plain("boolop"), node("args"), location};
constexpr Field null_test[] = {node("arg"), plain("nulltesttype"), plain("argisrow"), location};
constexpr Field boolean_test[] = {node("arg"), plain("booltesttype"), location};
constexpr Field case_expr[] = {node("arg"), node("args"), node("defresult"), location};
constexpr Field case_when[] = {node("expr"), node("result"), location};
constexpr Field coalesce_expr[] = {node("args"), location};
constexpr Field min_max_expr[] = {plain("op"), node("args"), location};
constexpr Field row_expr[] = {node("args"), plain("row_format"), node("colnames"), location};
constexpr Field a_array_expr[] = {node("elements"), location};
constexpr Field type_cast[] = {node("arg"), type_name, location};
constexpr Field type_name_fields[] = {node("names"),    plain("setof"),      node("typmods"),
                                      plain("typemod"), node("arrayBounds"), location};
constexpr Field collate_clause[] = {node("arg"), node("collname"), location};
constexpr Field sub_link[] = {plain("subLinkType"), node("testexpr"), names("operName"), node("subselect"), location};
constexpr Field sort_by[] = {node("node"), plain("sortby_dir"), plain("sortby_nulls"), names("useOp"), location};
constexpr Field grouping_set[] = {plain("kind"), node("content"), location};
constexpr Field grouping_func[] = {node("args"), location};
constexpr Field func_call[] = {names("funcname"),
                               arguments("args"),
                               arguments("agg_order"),
                               node("agg_filter"),
                               inner("over", "WindowDef"),
                               flag("agg_within_group"),
                               plain("agg_star"),
                               plain("agg_distinct"),
                               plain("func_variadic"),
                               plain("funcformat"),
                               location};
constexpr Field named_arg_expr[] = {node("arg"), plain("name"), plain("argnumber"), location};
constexpr Field window_def[] = {
    plain("name"),         plain("refname"),    node("partitionClause"), node("orderClause"),
    plain("frameOptions"), node("startOffset"), node("endOffset"),       location};
constexpr Field sql_value_function[] = {plain("op"), plain("typmod"), location};
constexpr Field xml_expr[] = {plain("op"),  plain("name"),      node("named_args"), node("arg_names"),
                              node("args"), plain("xmloption"), plain("indent"),    location};
constexpr Field xml_serialize[] = {plain("xmloption"), node("expr"), type_name, plain("indent"), location};

// The SQL/JSON constructors, of a parser of PostgreSQL 16 or newer.
constexpr Field json_format[] = {plain("format_type"), plain("encoding"), location};
constexpr Field json_returning[] = {inner("format", "JsonFormat")};
constexpr Field json_output[] = {type_name, inner("returning", "JsonReturning")};
constexpr Field json_value_expr[] = {node("raw_expr"), inner("format", "JsonFormat")};
constexpr Field json_key_value[] = {node("key"), inner("value", "JsonValueExpr")};
constexpr Field json_argument[] = {inner("val", "JsonValueExpr"), plain("name")};
constexpr Field json_object_constructor[] = {node("exprs"), inner("output", "JsonOutput"), plain("absent_on_null"),
                                             plain("unique"), location};
constexpr Field json_array_constructor[] = {node("exprs"), inner("output", "JsonOutput"), plain("absent_on_null"),
                                            location};
constexpr Field json_array_query_constructor[] = {node("query"), inner("output", "JsonOutput"),
                                                  inner("format", "JsonFormat"), plain("absent_on_null"), location};
constexpr Field json_agg_constructor[] = {inner("output", "JsonOutput"), node("agg_filter"), node("agg_order"),
                                          inner("over", "WindowDef"), location};
constexpr Field json_object_agg[] = {inner("constructor", "JsonAggConstructor"), inner("arg", "JsonKeyValue"),
                                     plain("absent_on_null"), plain("unique")};
constexpr Field json_array_agg[] = {inner("constructor", "JsonAggConstructor"), inner("arg", "JsonValueExpr"),
                                    plain("absent_on_null")};
constexpr Field json_is_predicate[] = {node("expr"), inner("format", "JsonFormat"), plain("item_type"),
                                       plain("unique_keys"), location};
constexpr Field json_parse_expr[] = {inner("expr", "JsonValueExpr"), inner("output", "JsonOutput"),
                                     plain("unique_keys"), location};
constexpr Field json_scalar_expr[] = {node("expr"), inner("output", "JsonOutput"), location};
constexpr Field json_serialize_expr[] = {inner("expr", "JsonValueExpr"), inner("output", "JsonOutput"), location};
constexpr Field json_behavior[] = {plain("btype"), node("expr"), plain("coerce"), location};
constexpr Field json_func_expr[] = {plain("op"),
                                    plain("column_name"),
                                    inner("context_item", "JsonValueExpr"),
                                    node("pathspec"),
                                    node("passing"),
                                    inner("output", "JsonOutput"),
                                    inner("on_empty", "JsonBehavior"),
                                    inner("on_error", "JsonBehavior"),
                                    plain("wrapper"),
                                    plain("quotes"),
                                    location};
constexpr Field json_table_path_spec[] = {node("string"), plain("name"), plain("name_location"), location};
constexpr Field json_table[] = {inner("context_item", "JsonValueExpr"),
                                inner("pathspec", "JsonTablePathSpec"),
                                node("passing"),
                                node("columns"),
                                inner("on_error", "JsonBehavior"),
                                alias,
                                plain("lateral"),
                                location};
constexpr Field json_table_column[] = {plain("coltype"),
                                       plain("name"),
                                       type_name,
                                       inner("pathspec", "JsonTablePathSpec"),
                                       inner("format", "JsonFormat"),
                                       plain("wrapper"),
                                       plain("quotes"),
                                       node("columns"),
                                       inner("on_empty", "JsonBehavior"),
                                       inner("on_error", "JsonBehavior"),
                                       location};

// Sorted by name.
constexpr NodeType types[] = {
    {"A_ArrayExpr", a_array_expr},
    {"A_Const", a_const, Check::constant},
    {"A_Expr", a_expr, Check::operator_name},
    {"A_Indices", a_indices},
    {"A_Indirection", a_indirection, Check::fields},
    {"A_Star", {}},
    {"Alias", alias_fields},
    {"BitString", bit_string},
    {"BoolExpr", bool_expr},
    {"Boolean", boolean},
    {"BooleanTest", boolean_test},
    {"CTECycleClause", cte_cycle_clause},
    {"CTESearchClause", cte_search_clause},
    {"CaseExpr", case_expr},
    {"CaseWhen", case_when},
    {"CoalesceExpr", coalesce_expr},
    {"CollateClause", collate_clause},
    {"ColumnDef", column_def},
    {"ColumnRef", column_ref, Check::column},
    {"CommonTableExpr", common_table_expr, Check::common_table},
    {"CopyStmt", copy_stmt},
    {"DeclareCursorStmt", declare_cursor_stmt},
    {"DefElem", def_elem},
    {"DeleteStmt", delete_stmt, Check::write},
    {"ExplainStmt", explain_stmt},
    {"Float", float_},
    {"FuncCall", func_call, Check::function},
    {"GroupingFunc", grouping_func},
    {"GroupingSet", grouping_set},
    {"IndexElem", index_elem},
    {"InferClause", infer_clause},
    {"InsertStmt", insert_stmt, Check::write},
    {"Integer", integer},
    {"JoinExpr", join_expr},
    {"JsonAggConstructor", json_agg_constructor},
    {"JsonArgument", json_argument},
    {"JsonArrayAgg", json_array_agg},
    {"JsonArrayConstructor", json_array_constructor},
    {"JsonArrayQueryConstructor", json_array_query_constructor},
    {"JsonBehavior", json_behavior},
    {"JsonFormat", json_format},
    {"JsonFuncExpr", json_func_expr},
    {"JsonIsPredicate", json_is_predicate},
    {"JsonKeyValue", json_key_value},
    {"JsonObjectAgg", json_object_agg},
    {"JsonObjectConstructor", json_object_constructor},
    {"JsonOutput", json_output},
    {"JsonParseExpr", json_parse_expr},
    {"JsonReturning", json_returning},
    {"JsonScalarExpr", json_scalar_expr},
    {"JsonSerializeExpr", json_serialize_expr},
    {"JsonTable", json_table},
    {"JsonTableColumn", json_table_column},
    {"JsonTablePathSpec", json_table_path_spec},
    {"JsonValueExpr", json_value_expr},
    {"List", list},
    {"LockingClause", locking_clause},
    {"MinMaxExpr", min_max_expr},
    {"MultiAssignRef", multi_assign_ref},
    {"NamedArgExpr", named_arg_expr},
    {"NullTest", null_test},
    {"OnConflictClause", on_conflict_clause},
    {"ParamRef", param_ref},
    {"ParseResult", parse_result},
    {"RangeFunction", range_function},
    {"RangeSubselect", range_subselect},
    {"RangeTableFunc", range_table_func},
    {"RangeTableFuncCol", range_table_func_col},
    {"RangeTableSample", range_table_sample, Check::sample},
    {"RangeVar", range_var, Check::relation},
    {"RawStmt", raw_stmt, Check::statement},
    {"ResTarget", res_target},
    {"RowExpr", row_expr},
    {"SQLValueFunction", sql_value_function},
    {"SelectStmt", select_stmt},
    {"SortBy", sort_by, Check::operator_name},
    {"String", string},
    {"SubLink", sub_link, Check::operator_name},
    {"TypeCast", type_cast},
    {"TypeName", type_name_fields},
    {"UpdateStmt", update_stmt, Check::write},
    {"VariableShowStmt", variable_show_stmt, Check::setting},
    {"WindowDef", window_def},
    {"WithClause", with_clause},
    {"XmlExpr", xml_expr},
    {"XmlSerialize", xml_serialize},
};
static_assert(std::ranges::is_sorted(types, {}, &NodeType::name));

struct Refusal {
    std::string_view name;
    Reason reason;
};

constexpr Refusal refusals[] = {
    {"InsertStmt", Reason::writes},
    {"UpdateStmt", Reason::writes},
    {"DeleteStmt", Reason::writes},
    {"MergeStmt", Reason::writes},
    {"TruncateStmt", Reason::writes},
    {"VacuumStmt", Reason::writes},
    {"ClusterStmt", Reason::writes},
    {"CheckPointStmt", Reason::side_effect},
    {"CallStmt", Reason::volatile_function},
    {"DoStmt", Reason::volatile_function},
    {"LockStmt", Reason::locks_rows},
    {"NotifyStmt", Reason::side_effect},
    {"ListenStmt", Reason::session_state},
    {"UnlistenStmt", Reason::session_state},
    {"LoadStmt", Reason::session_state},
    {"VariableSetStmt", Reason::session_state},
    {"PrepareStmt", Reason::session_state},
    {"ExecuteStmt", Reason::session_state},
    {"DeallocateStmt", Reason::session_state},
    {"DiscardStmt", Reason::session_state},
    {"ConstraintsSetStmt", Reason::session_state},
    {"TransactionStmt", Reason::transaction},
    {"FetchStmt", Reason::session_state},
    {"ClosePortalStmt", Reason::session_state},
};

}  // namespace

Field const* NodeType::find(std::string_view field) const {
    auto const found = std::ranges::find(fields, field, &Field::name);
    return found == fields.end() ? nullptr : &*found;
}

NodeType const* find_node_type(std::string_view name) {
    auto const* const found = std::ranges::lower_bound(types, name, {}, &NodeType::name);
    return found != std::end(types) && found->name == name ? found : nullptr;
}

Reason reason_against(std::string_view node_type) {
    auto const* const found = std::ranges::find(refusals, node_type, &Refusal::name);
    if (found != std::end(refusals)) return found->reason;
    // Every other statement changes the catalog: CREATE, ALTER, DROP, GRANT, COMMENT ... in many types.
    return node_type.ends_with("Stmt") ? Reason::ddl : Reason::unknown_syntax;
}

}  // namespace pgtandem::sql
