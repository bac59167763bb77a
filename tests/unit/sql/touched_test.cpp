#include "sql/touched.hpp"

#include <algorithm>
#include <functional>

#include "unit/sql/verdict_case.hpp"

namespace pgtandem::sql {
namespace {

TEST(Touched, EachRelationOnceAndManyAreEverything) {
    Touched touched;
    touched.add({false, {1, 2}});
    touched.add({false, {2, 3}});
    EXPECT_EQ(touched, (Touched{false, {1, 2, 3}}));
    for (std::uint64_t relation = 0; relation < 100; ++relation) touched.add({false, {relation}});
    EXPECT_EQ(touched, Touched::all());
    touched.add({false, {1}});
    EXPECT_EQ(touched, Touched::all());
}

struct Case {
    std::string_view text;
    std::vector<std::string> names;  // "*": everything
};

Case const statements[] = {
    {"SELECT 1", {}},
    {"SELECT now(), concat('A') FROM orders", {"orders"}},
    {"SELECT lower('A') FROM orders", {"*"}},  // there is one of the database's own
    {"SELECT * FROM orders JOIN app.users USING (id)", {"orders", "users"}},
    {"SELECT 1; SELECT * FROM orders", {"orders"}},
    {"WITH a AS (SELECT * FROM orders) SELECT * FROM a", {"a", "orders"}},
    {"SELECT * FROM pg_class", {"pg_class"}},
    {"SELECT * FROM plain_view", {"*"}},
    {"SELECT pure(1) FROM orders", {"*"}},
    {"SELECT 1 <=> 2 FROM orders", {"*"}},
    {"SELECT o.pure FROM orders o", {"*"}},
    {"INSERT INTO orders VALUES (1, now())", {"orders"}},
    {"INSERT INTO orders (a, b) SELECT id, 1 FROM app.users RETURNING *", {"orders", "users"}},
    {"INSERT INTO orders VALUES (1) ON CONFLICT (id) DO UPDATE SET n = excluded.n WHERE orders.n < 1", {"orders"}},
    {"UPDATE orders SET n = n + 1, (a, b) = (SELECT 1, 2) WHERE id = 3", {"orders"}},
    {"DELETE FROM ONLY orders AS o USING app.users u WHERE o.id = u.id", {"orders", "users"}},
    {"WITH w AS (UPDATE orders SET n = 1 RETURNING n) SELECT * FROM w", {"orders", "w"}},
    {"SELECT * FROM orders FOR UPDATE SKIP LOCKED", {"orders"}},
    {"COPY orders FROM STDIN", {"orders"}},
    {"UPDATE orders SET n = 1; DELETE FROM app.users", {"orders", "users"}},
    {"UPDATE orders SET n = writer(1)", {"*"}},
    {"UPDATE orders SET n = pure(1)", {"*"}},
    {"UPDATE plain_view SET n = 1", {"*"}},
    {"UPDATE parts SET n = 1", {"*"}},
    {"UPDATE pg_class SET reltuples = 1", {"*"}},
    {"UPDATE no_such SET n = 1", {"*"}},
    {"MERGE INTO orders USING app.users u ON true WHEN MATCHED THEN DELETE", {"*"}},
    {"TRUNCATE orders", {"*"}},
    {"ALTER TABLE orders ADD COLUMN c int", {"*"}},
    {"COPY orders FROM PROGRAM 'true'", {"*"}},
    {"SELECT * INTO made FROM orders", {"*"}},
    {"DO 'BEGIN END'", {"*"}},
    {"not a statement", {"*"}},
};

TEST(Touched, ByStatements) {
    for (auto const& [text, names] : statements) {
        Touched expected;
        for (auto const& name : names) expected.add(name == "*" ? Touched::all() : Touched{false, {std::hash<std::string>{}(name)}});
        auto found = verdict_of(text, std::vector<std::string>{"public"}).touched;
        std::ranges::sort(found.relations);
        std::ranges::sort(expected.relations);
        EXPECT_EQ(found, expected) << text;
    }
}

}  // namespace
}  // namespace pgtandem::sql
