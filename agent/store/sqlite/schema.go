package sqlite

// application marks a file as one of this package: "Hdl1" (SQLite's application_id).
const application = 0x48646c31

// migrations lead from one version of the schema to the next; their number is the version that this program knows. What has been
// released is never changed, only added to.
var migrations = [...]string{`
CREATE TABLE commands (
	number INTEGER PRIMARY KEY AUTOINCREMENT,
	correlation TEXT NOT NULL UNIQUE,
	connection TEXT NOT NULL,
	router TEXT NOT NULL, -- as text; empty: none
	kind INTEGER NOT NULL,
	body BLOB
) STRICT;
CREATE INDEX commands_by_key ON commands (connection, router, number);
CREATE INDEX commands_by_connection ON commands (connection, number);
CREATE TABLE events (
	number INTEGER PRIMARY KEY AUTOINCREMENT,
	correlation TEXT UNIQUE, -- NULL: it answers no command,
	connection TEXT NOT NULL,
	command INTEGER NOT NULL, -- 0: none
	kind INTEGER NOT NULL,
	body BLOB
) STRICT;
CREATE TABLE openings (times INTEGER NOT NULL) STRICT;
INSERT INTO openings VALUES (0);
`}

// query is a statement that is prepared once.
type query int

const (
	begin query = iota
	beginRead
	commit
	rollback
	opened
	usedByCommand
	usedByEvent
	addCommand
	firstCommand
	commandsOf
	nextRouter
	nextConnection
	moveCommand
	endCommand
	addEvent
	nextEvents
	takeEvent
	queries
)

var texts = [queries]string{
	begin:          "BEGIN IMMEDIATE",
	beginRead:      "BEGIN",
	commit:         "COMMIT",
	rollback:       "ROLLBACK",
	opened:         "UPDATE openings SET times = times + 1",
	usedByCommand:  "SELECT 1 FROM commands WHERE correlation = ?",
	usedByEvent:    "SELECT 1 FROM events WHERE correlation = ?",
	addCommand:     "INSERT INTO commands (correlation, connection, router, kind, body) VALUES (?, ?, ?, ?, ?) RETURNING number",
	firstCommand:   "SELECT number, correlation, connection, router, kind, body FROM commands WHERE connection = ? AND router = ? ORDER BY number LIMIT 1",
	commandsOf:     "SELECT number, correlation, connection, router, kind, body FROM commands WHERE connection = ? ORDER BY number",
	nextRouter:     "SELECT connection, router FROM commands WHERE connection = ? AND router > ? ORDER BY router LIMIT 1",
	nextConnection: "SELECT connection, router FROM commands WHERE connection > ? ORDER BY connection, router LIMIT 1",
	moveCommand:    "UPDATE commands SET connection = ?, router = ? WHERE number = ? RETURNING number",
	endCommand:     "DELETE FROM commands WHERE number = ? RETURNING number",
	addEvent:       "INSERT INTO events (correlation, connection, command, kind, body) VALUES (?, ?, ?, ?, ?) RETURNING number",
	nextEvents:     "SELECT number, correlation, connection, command, kind, body FROM events WHERE number > ? ORDER BY number LIMIT ?",
	takeEvent:      "DELETE FROM events WHERE number = ? RETURNING number",
}
