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
CREATE TABLE connections (
	id TEXT PRIMARY KEY,
	status INTEGER NOT NULL,
	joins INTEGER NOT NULL, -- 1: this side has the link
	router TEXT NOT NULL,
	recipient BLOB, -- NULL: the queue is not made yet
	sender BLOB NOT NULL,
	key TEXT NOT NULL,
	peer_key TEXT NOT NULL,
	peer_router TEXT NOT NULL,
	peer_queue BLOB NOT NULL,
	send_key TEXT NOT NULL,
	sent INTEGER NOT NULL,
	received INTEGER NOT NULL,
	unacknowledged BLOB NOT NULL
) STRICT;
CREATE INDEX connections_by_queue ON connections (router, recipient);
CREATE TABLE groups (
	id TEXT PRIMARY KEY,
	me TEXT NOT NULL,
	host TEXT NOT NULL,
	status INTEGER NOT NULL,
	numbers INTEGER NOT NULL
) STRICT;
CREATE TABLE members (
	row INTEGER PRIMARY KEY AUTOINCREMENT,
	group_id TEXT NOT NULL,
	id TEXT NOT NULL,
	status INTEGER NOT NULL,
	connected INTEGER NOT NULL, -- 1: the connection of the group, 2: the direct one
	group_link TEXT NOT NULL,
	direct_link TEXT NOT NULL,
	number INTEGER NOT NULL,
	introduced INTEGER NOT NULL,
	met INTEGER NOT NULL,
	introduced_to_all INTEGER NOT NULL,
	deadline INTEGER NOT NULL, -- in nanoseconds since 1970; 0: none
	error TEXT NOT NULL,
	UNIQUE (group_id, id)
) STRICT;
CREATE INDEX members_by_row ON members (group_id, row);
CREATE TABLE introductions (
	group_id TEXT NOT NULL,
	newcomer TEXT NOT NULL,
	existing TEXT NOT NULL,
	status INTEGER NOT NULL,
	by_member TEXT NOT NULL,
	PRIMARY KEY (group_id, newcomer, existing)
) STRICT, WITHOUT ROWID;
CREATE TABLE continuations (
	correlation TEXT PRIMARY KEY,
	connection TEXT NOT NULL,
	expects INTEGER NOT NULL,
	kind INTEGER NOT NULL,
	group_id TEXT NOT NULL,
	member TEXT NOT NULL,
	peer TEXT NOT NULL,
	which INTEGER NOT NULL,
	after_row INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX continuations_by_connection ON continuations (connection);
CREATE TABLE transactions (last INTEGER NOT NULL) STRICT; -- the number of the last one: whether it is there can be asked
INSERT INTO transactions VALUES (0);
`}

// query is a statement that is prepared once.
type query int

const (
	begin query = iota
	beginRead
	commit
	rollback
	numbered
	lastNumber
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
	findConnection
	findConnectionAt
	putConnection
	dropConnection
	findGroup
	putGroup
	findMember
	addMember
	putMember
	nextMember
	nextMembers
	findIntroduction
	putIntroduction
	addContinuation
	findContinuation
	continuationsOf
	dropContinuation
	queries
)

var texts = [queries]string{
	begin:            "BEGIN IMMEDIATE",
	beginRead:        "BEGIN",
	commit:           "COMMIT",
	rollback:         "ROLLBACK",
	numbered:         "UPDATE transactions SET last = ?",
	lastNumber:       "SELECT last FROM transactions",
	usedByCommand:    "SELECT 1 FROM commands WHERE correlation = ?",
	usedByEvent:      "SELECT 1 FROM events WHERE correlation = ?",
	addCommand:       "INSERT INTO commands (correlation, connection, router, kind, body) VALUES (?, ?, ?, ?, ?) RETURNING number",
	firstCommand:     "SELECT number, correlation, connection, router, kind, body FROM commands WHERE connection = ? AND router = ? ORDER BY number LIMIT 1",
	commandsOf:       "SELECT number, correlation, connection, router, kind, body FROM commands WHERE connection = ? ORDER BY number",
	nextRouter:       "SELECT connection, router FROM commands WHERE connection = ? AND router > ? ORDER BY router LIMIT 1",
	nextConnection:   "SELECT connection, router FROM commands WHERE connection > ? ORDER BY connection, router LIMIT 1",
	moveCommand:      "UPDATE commands SET connection = ?, router = ? WHERE number = ? RETURNING number",
	endCommand:       "DELETE FROM commands WHERE number = ? RETURNING number",
	addEvent:         "INSERT INTO events (correlation, connection, command, kind, body) VALUES (?, ?, ?, ?, ?) RETURNING number",
	nextEvents:       "SELECT number, correlation, connection, command, kind, body FROM events WHERE number > ? ORDER BY number LIMIT ?",
	takeEvent:        "DELETE FROM events WHERE number = ? RETURNING number",
	findConnection:   "SELECT " + connectionColumns + " FROM connections WHERE id = ?",
	findConnectionAt: "SELECT " + connectionColumns + " FROM connections WHERE router = ? AND recipient = ?",
	putConnection:    "INSERT OR REPLACE INTO connections (" + connectionColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	dropConnection:   "DELETE FROM connections WHERE id = ?",
	findGroup:        "SELECT me, host, status, numbers FROM groups WHERE id = ?",
	putGroup:         "INSERT OR REPLACE INTO groups (me, host, status, numbers, id) VALUES (?, ?, ?, ?, ?)",
	findMember:       "SELECT " + memberColumns + ", row FROM members WHERE group_id = ? AND id = ?",
	addMember:        "INSERT INTO members (" + memberColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING row",
	putMember:        "UPDATE members SET (" + memberColumns + ") = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE row = ? RETURNING row",
	nextMember:       "SELECT " + memberColumns + ", row FROM members WHERE group_id = ? AND row > ? ORDER BY row LIMIT 1",
	nextMembers:      "SELECT " + memberColumns + ", row FROM members WHERE row > ? ORDER BY row LIMIT ?",
	findIntroduction: "SELECT status, by_member FROM introductions WHERE group_id = ? AND newcomer = ? AND existing = ?",
	putIntroduction:  "INSERT OR REPLACE INTO introductions (status, by_member, group_id, newcomer, existing) VALUES (?, ?, ?, ?, ?)",
	addContinuation:  "INSERT INTO continuations (" + continuationColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
	findContinuation: "SELECT " + continuationColumns + " FROM continuations WHERE correlation = ?",
	continuationsOf:  "SELECT " + continuationColumns + " FROM continuations WHERE connection = ? ORDER BY correlation",
	dropContinuation: "DELETE FROM continuations WHERE correlation = ?",
}

// Columns, in the order in which they are bound and read.
const (
	connectionColumns   = "status, joins, router, recipient, sender, key, peer_key, peer_router, peer_queue, send_key, sent, received, unacknowledged, id"
	memberColumns       = "status, connected, group_link, direct_link, number, introduced, met, introduced_to_all, deadline, error, group_id, id"
	continuationColumns = "connection, expects, kind, group_id, member, peer, which, after_row, correlation"
)
