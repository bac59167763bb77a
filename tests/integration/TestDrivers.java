// What JDBC is used for; the first failure is thrown. Arguments: host:port/database, user, password.
import java.io.StringReader;
import java.io.StringWriter;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.Properties;
import org.postgresql.PGConnection;

public class TestDrivers {
    static String[] arguments;

    interface Attempt {
        void run() throws Exception;
    }

    static Connection connect(String... more) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", arguments[1]);
        properties.setProperty("password", arguments[2]);
        for (int at = 0; at < more.length; at += 2) properties.setProperty(more[at], more[at + 1]);
        return DriverManager.getConnection("jdbc:postgresql://" + arguments[0], properties);
    }

    static void check(boolean isTrue, String what) {
        if (!isTrue) throw new AssertionError(what);
    }

    static void fails(String state, Attempt attempt) throws Exception {
        try {
            attempt.run();
        } catch (SQLException error) {
            check(state.equals(error.getSQLState()), "wanted " + state + ", but: " + error.getSQLState() + " " + error);
            return;
        }
        throw new AssertionError("wanted " + state + ", but it was done");
    }

    static int number(Connection session, String sql) throws SQLException {
        try (Statement statement = session.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            check(rows.next(), "no row");
            return rows.getInt(1);
        }
    }

    static void preparedBeyondTheThreshold() throws Exception {
        for (String threshold : new String[] {"1", "3", "0", "-1"}) {
            try (Connection session = connect("prepareThreshold", threshold)) {
                try (PreparedStatement statement = session.prepareStatement("SELECT ?::int + 1, ?::text, ?::timestamptz")) {
                    for (int round = 0; round < 12; round++) {
                        statement.setInt(1, round);
                        statement.setString(2, "text " + round);
                        statement.setNull(3, Types.TIMESTAMP_WITH_TIMEZONE);
                        try (ResultSet rows = statement.executeQuery()) {
                            check(rows.next() && rows.getInt(1) == round + 1, "the sum");
                            check(rows.getString(2).equals("text " + round) && rows.getObject(3) == null, "the text");
                        }
                    }
                }
            }
        }
    }

    static void batches() throws Exception {
        for (String rewrite : new String[] {"false", "true"}) {
            try (Connection session = connect("reWriteBatchedInserts", rewrite)) {
                try (Statement statement = session.createStatement()) {
                    statement.execute("DROP TABLE IF EXISTS of_jdbc; CREATE TABLE of_jdbc (n int PRIMARY KEY, t text)");
                }
                session.setAutoCommit(false);
                try (PreparedStatement insert = session.prepareStatement("INSERT INTO of_jdbc VALUES (?, ?)")) {
                    for (int n = 0; n < 1000; n++) {
                        insert.setInt(1, n);
                        insert.setString(2, "row " + n);
                        insert.addBatch();
                    }
                    check(insert.executeBatch().length == 1000, "the batch");
                    session.commit();
                    for (int n = 2000; n > 995; n -= 5) {
                        insert.setInt(1, n);
                        insert.setString(2, "x");
                        insert.addBatch();
                    }
                    insert.setInt(1, 1);
                    insert.setString(2, "there already");
                    insert.addBatch();
                    try {
                        insert.executeBatch();
                        throw new AssertionError("a duplicate was taken");
                    } catch (BatchUpdateException error) {
                        check("23505".equals(error.getSQLState()), "the state of the batch: " + error.getSQLState());
                    }
                    session.rollback();
                }
                check(number(session, "SELECT count(*) FROM of_jdbc") == 1000, "the rows");
                session.rollback();
            }
        }
    }

    static void cursors() throws Exception {
        try (Connection session = connect()) {
            session.setAutoCommit(false);
            try (Statement statement = session.createStatement()) {
                statement.setFetchSize(37);
                int seen = 0;
                try (ResultSet rows = statement.executeQuery("SELECT generate_series(1, 1000)")) {
                    while (rows.next()) check(rows.getInt(1) == ++seen, "the order");
                }
                check(seen == 1000, "all rows");
                try (ResultSet rows = statement.executeQuery("SELECT generate_series(1, 1000)")) {
                    check(rows.next(), "a row");
                }
                statement.setMaxRows(10);
                seen = 0;
                try (ResultSet rows = statement.executeQuery("SELECT generate_series(1, 1000)")) {
                    while (rows.next()) seen++;
                }
                check(seen == 10, "no more than asked for");
            }
            session.commit();
        }
    }

    static void transactions() throws Exception {
        try (Connection session = connect()) {
            session.setAutoCommit(false);
            session.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
            check(number(session, "SELECT (current_setting('transaction_isolation') = 'serializable')::int") == 1, "isolation");
            session.rollback();
            session.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
            session.setReadOnly(true);
            fails("25006", () -> session.createStatement().execute("CREATE TABLE refused (a int)"));
            session.rollback();
            session.setReadOnly(false);
            session.createStatement().execute("DELETE FROM of_jdbc WHERE n = 1");
            java.sql.Savepoint savepoint = session.setSavepoint();
            fails("22012", () -> number(session, "SELECT 1/0"));
            session.rollback(savepoint);
            check(number(session, "SELECT count(*) FROM of_jdbc") == 999, "after the savepoint");
            session.rollback();
            session.setSchema("pg_catalog");
            check(session.getSchema().equals("pg_catalog"), "the schema");
            session.rollback();
        }
        try (Connection session = connect("autosave", "always")) {
            session.setAutoCommit(false);
            fails("22012", () -> number(session, "SELECT 1/0"));
            check(number(session, "SELECT 7") == 7, "autosave");
            session.commit();
        }
    }

    static void cancels() throws Exception {
        try (Connection session = connect(); Statement statement = session.createStatement()) {
            Thread canceller = new Thread(() -> {
                try (Connection watcher = connect()) {
                    String running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(501)'";
                    while (number(watcher, running) == 0) Thread.onSpinWait();
                    statement.cancel();
                } catch (SQLException error) {
                    throw new IllegalStateException(error);
                }
            });
            canceller.start();
            fails("57014", () -> statement.execute("SELECT pg_sleep(501)"));
            canceller.join();
            statement.setQueryTimeout(1);
            fails("57014", () -> statement.execute("SELECT pg_sleep(502)"));
            statement.setQueryTimeout(0);
            check(number(session, "SELECT 1") == 1, "after the cancel");
        }
    }

    static void copyListenAndMetadata() throws Exception {
        try (Connection session = connect()) {
            PGConnection own = session.unwrap(PGConnection.class);
            String rows = "5000\tx\n5001\ty\n";
            check(own.getCopyAPI().copyIn("COPY of_jdbc FROM STDIN", new StringReader(rows)) == 2, "copied in");
            StringWriter out = new StringWriter();
            own.getCopyAPI().copyOut("COPY (SELECT * FROM of_jdbc WHERE n >= 5000 ORDER BY n) TO STDOUT", out);
            check(out.toString().equals(rows), "copied out");
            session.createStatement().execute("LISTEN bell; NOTIFY bell, 'of jdbc'");
            check(own.getNotifications(60000)[0].getParameter().equals("of jdbc"), "the notification");
            check(own.getBackendPID() != 0, "a process id");
            try (ResultSet columns = session.getMetaData().getColumns(null, "public", "of_jdbc", "%")) {
                check(columns.next() && columns.getString("COLUMN_NAME").equals("n"), "the columns");
            }
            try (PreparedStatement keys = session.prepareStatement("INSERT INTO of_jdbc VALUES (6000)", Statement.RETURN_GENERATED_KEYS)) {
                keys.executeUpdate();
                try (ResultSet made = keys.getGeneratedKeys()) {
                    check(made.next() && made.getInt(1) == 6000, "the keys");
                }
            }
        }
    }

    public static void main(String[] given) throws Exception {
        arguments = given;
        preparedBeyondTheThreshold();
        batches();
        cursors();
        transactions();
        cancels();
        copyListenAndMetadata();
        for (String mode : new String[] {"simple", "extendedForPrepared", "extendedCacheEverything"}) {
            try (Connection session = connect("preferQueryMode", mode)) {
                for (int round = 0; round < 10; round++) check(number(session, "SELECT " + round) == round, mode);
            }
        }
        System.out.println("all of it done");
    }
}
