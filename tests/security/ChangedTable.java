// Reads a table whose column another session changes meanwhile, with the driver's defaults; prints what it is told.
import java.sql.*;

public class ChangedTable {
    static String[] arguments;

    static Connection connect() throws SQLException {
        return DriverManager.getConnection(arguments[0], arguments[1], arguments[2]);
    }

    static void read(PreparedStatement statement) {
        try (ResultSet rows = statement.executeQuery()) {
            while (rows.next()) System.out.println(rows.getMetaData().getColumnTypeName(1) + " " + rows.getLong("n") + " " + rows.getString("m"));
        } catch (SQLException error) {
            System.out.println(error.getSQLState() + " " + error.getMessage());
        }
    }

    public static void main(String[] words) throws Exception {
        arguments = words;
        try (Connection reader = connect(); Connection changer = connect(); Statement change = changer.createStatement()) {
            change.execute("DROP TABLE IF EXISTS js");
            change.execute("CREATE TABLE js (n int, m text)");
            change.execute("INSERT INTO js VALUES (7, 'm')");
            PreparedStatement statement = reader.prepareStatement("SELECT * FROM js");
            for (int count = 0; count < 8; count++) read(statement);
            change.execute("ALTER TABLE js ALTER n TYPE bigint");
            for (int count = 0; count < 3; count++) read(statement);
            change.execute("ALTER TABLE js DROP COLUMN n");
            change.execute("ALTER TABLE js ADD COLUMN n int DEFAULT 9");
            for (int count = 0; count < 3; count++) read(statement);
        }
    }
}
