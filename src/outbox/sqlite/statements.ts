import type { Statements } from '../../internal/sqlite/statements.js';

const OUTSTANDING = "('ready', 'waiting', 'in_flight')";
const LETTER = "('dead', 'expired')";

const ENTRY = `position, CAST(key AS BLOB) AS key, message, bytes, accepted_at AS acceptedAt, attempts,
  maybe_stored AS maybeStored, CAST(error AS BLOB) AS error, refused_at AS refusedAt, carried_at_ms AS carriedAtMs`;

/** The account that a name stands for, which is a parameter twice. */
const NAMED = 'coalesce((SELECT account FROM aliases WHERE alias = ?), ?)';

const COUNTERS = `accepted, pending, in_flight AS inFlight, delivered, dead_lettered AS deadLettered, expired, purged,
  forgotten, pending_bytes AS pendingBytes, in_flight_bytes AS inFlightBytes, bytes`;

const LEASE = `lease_owner AS leaseOwner, lease_until AS leaseUntil, lease_ms AS leaseMs,
  lease_renewals AS leaseRenewals, lease_host AS leaseHost`;

/** What concerns all accounts. */
const FILE = `(SELECT coalesce(max(newest), 0) AS newest, coalesce(sum(bytes), 0) AS fileBytes,
  coalesce(sum(pending + in_flight), 0) AS fileOutstanding, count(*) AS accounts FROM accounts)`;

// Counted from the end, because what was put since a flush began is less than what waits.
const progress = (which: string) => `SELECT newest,
  coalesce(sum(pending + in_flight - (SELECT count(*) FROM entries INDEXED BY entries_by_state
    WHERE account_id = id AND state IN ${OUTSTANDING} AND position > ?)), 0) AS outstanding,
  coalesce(sum(CASE WHEN newest <= ? THEN dead_lettered + expired - purged
    ELSE (SELECT count(*) FROM entries INDEXED BY entries_by_state
      WHERE account_id = id AND state IN ${LETTER} AND position <= ?) END), 0) AS deadLetters
  FROM (SELECT coalesce(max(newest), 0) AS newest FROM accounts)
  LEFT JOIN (SELECT id, pending, in_flight, dead_lettered, expired, purged FROM accounts ${which})`;

export const SQL = {
  version: 'PRAGMA user_version',
  file: `SELECT * FROM ${FILE}`,
  row: `SELECT * FROM ${FILE} LEFT JOIN
    (SELECT id, ${COUNTERS}, ${LEASE}, carried_ms AS carriedMs FROM accounts WHERE account = ${NAMED})`,
  addAccount: `INSERT INTO accounts (account) VALUES (${NAMED}) ON CONFLICT DO NOTHING`,
  addToCounters: `UPDATE accounts SET newest = max(newest, ?), accepted = accepted + ?, pending = pending + ?,
    in_flight = in_flight + ?, delivered = delivered + ?, dead_lettered = dead_lettered + ?, expired = expired + ?,
    purged = purged + ?, forgotten = forgotten + ?, pending_bytes = pending_bytes + ?,
    in_flight_bytes = in_flight_bytes + ?, bytes = bytes + ? WHERE id = ?`,
  names: 'SELECT account FROM accounts ORDER BY id',
  accounts: `SELECT account, ${COUNTERS}, ${LEASE} FROM accounts ORDER BY id`,
  aliases: 'SELECT alias FROM aliases WHERE account = ?',

  acquireLease: `UPDATE accounts SET lease_owner = ?, lease_until = ?, lease_ms = ?, lease_host = ?,
    carried_ms = carried_ms + ?, lease_renewals = lease_renewals + 1 WHERE id = ?`,
  renewLease: `UPDATE accounts SET lease_until = ?, carried_ms = carried_ms + ?, lease_renewals = lease_renewals + 1
    WHERE lease_owner = ?`,
  releaseLease: 'UPDATE accounts SET lease_owner = NULL WHERE lease_owner = ?',

  find: 'SELECT 1 FROM entries WHERE account_id = ? AND key = ?',
  findOutstanding: `SELECT 1 FROM entries WHERE account_id = ? AND conversation_id = ? AND state IN ${OUTSTANDING} LIMIT 1`,
  insertEntry: `INSERT INTO entries (position, account_id, key, conversation_id, state, bytes, accepted_at, attempts,
    maybe_stored, error, died_at, refused_at, carried_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  insertMessage: 'INSERT INTO messages (position, message) VALUES (?, ?)',

  ready: `SELECT position, conversation_id AS conversationId, bytes FROM entries
    WHERE account_id = ? AND state = 'ready' ORDER BY position LIMIT ?`,
  waiting: `SELECT position, conversation_id AS conversationId, bytes FROM entries
    WHERE account_id = ? AND conversation_id = ? AND state = 'waiting' ORDER BY position LIMIT ?`,
  entry: `SELECT ${ENTRY} FROM entries JOIN messages USING (position) WHERE position = ?`,
  start: "UPDATE entries SET state = 'in_flight' WHERE position = ?",

  deliver: "UPDATE entries SET state = 'delivered', error = NULL, refused_at = NULL WHERE position = ?",
  putBack: `UPDATE entries SET state = 'waiting', attempts = ?, maybe_stored = ?, error = ?, refused_at = ?
    WHERE position = ?`,
  addDeadLetter: 'UPDATE entries SET state = ?, error = ?, died_at = ?, refused_at = NULL WHERE position = ?',
  deleteMessage: 'DELETE FROM messages WHERE position = ?',
  forget: `DELETE FROM entries WHERE position IN (SELECT position FROM entries
    WHERE account_id = ? AND state = 'delivered' ORDER BY position LIMIT ?)`,

  inFlightConversations: `SELECT DISTINCT conversation_id AS conversationId FROM entries
    WHERE account_id = ? AND state = 'in_flight'`,
  requeueInFlight: `UPDATE entries SET state = 'waiting', attempts = attempts + 1, maybe_stored = 1
    WHERE account_id = ? AND state = 'in_flight'`,
  promote: `UPDATE entries SET state = 'ready' WHERE position =
      (SELECT position FROM entries WHERE account_id = ? AND conversation_id = ? AND state = 'waiting'
        ORDER BY position LIMIT 1)
    AND NOT EXISTS (SELECT 1 FROM entries
      WHERE account_id = ? AND conversation_id = ? AND state IN ('ready', 'in_flight'))`,

  progress: progress(''),
  accountProgress: progress(`WHERE account = ${NAMED}`),

  inState: `SELECT position FROM entries WHERE account_id = ? AND state = ? AND position > ? AND position <= ?
    ORDER BY position LIMIT ?`,
  held: `SELECT position FROM entries INDEXED BY entries_held WHERE account_id = ? AND refused_at IS NOT NULL
    AND state IN ('ready', 'waiting') AND position > ? AND position <= ? ORDER BY position LIMIT ?`,
  countHeld: `SELECT count(*) AS messages FROM entries WHERE account_id = ? AND refused_at IS NOT NULL
    AND state IN ('ready', 'waiting')`,
  positionOf: 'SELECT position FROM entries WHERE account_id = ? AND key = ?',
  moveable: `SELECT position, conversation_id AS conversationId, state, bytes, refused_at AS refusedAt
    FROM entries WHERE position = ?`,
  kept: `SELECT account, ${ENTRY}, state, died_at AS diedAt
    FROM entries JOIN messages USING (position) JOIN (SELECT id AS account_id, account FROM accounts) USING (account_id)
    ORDER BY position`,
  oldestOf: `SELECT min(carriedAtMs) AS carriedAtMs FROM (SELECT
    (SELECT carried_at_ms FROM entries WHERE account_id = ? AND state = 'ready' ORDER BY position LIMIT 1) AS carriedAtMs
    UNION ALL SELECT
    (SELECT carried_at_ms FROM entries WHERE account_id = ? AND state = 'in_flight' ORDER BY position LIMIT 1))`,
  oldest: `SELECT min(accepted_at) AS acceptedAt FROM entries WHERE position IN (SELECT
    (SELECT position FROM entries WHERE account_id = id AND state = 'ready' ORDER BY position LIMIT 1) FROM accounts)`,

  deadLetter: `SELECT account, ${ENTRY}, state, died_at AS diedAt
    FROM entries JOIN messages USING (position) JOIN (SELECT id AS account_id, account FROM accounts) USING (account_id)
    WHERE position = ? AND state IN ${LETTER}`,
  replayEntry: `UPDATE entries SET position = ?, state = ?, accepted_at = ?, attempts = 0, error = NULL, died_at = NULL,
    carried_at_ms = ? WHERE position = ?`,
  replayMessage: 'UPDATE messages SET position = ? WHERE position = ?',
  deleteEntry: 'DELETE FROM entries WHERE position = ?',

  // From one account to another. First goes what the other has, too.
  dropKnownMessages: `DELETE FROM messages WHERE position IN (SELECT a.position FROM entries a JOIN entries b
    ON b.account_id = ? AND b.key = a.key WHERE a.account_id = ? AND a.state <> 'delivered')`,
  dropKnown: `DELETE FROM entries WHERE account_id = ? AND state <> 'delivered'
    AND EXISTS (SELECT 1 FROM entries b WHERE b.account_id = ? AND b.key = entries.key)`,
  dropKnownDelivered: `DELETE FROM entries WHERE account_id = ? AND state = 'delivered'
    AND EXISTS (SELECT 1 FROM entries b WHERE b.account_id = ? AND b.key = entries.key)`,
  countStates: `SELECT state, count(*) AS messages, sum(bytes) AS bytes FROM entries
    WHERE account_id = ? AND state <> 'delivered' GROUP BY state`,
  move: `UPDATE entries SET account_id = ?, state = CASE state WHEN 'ready' THEN 'waiting' ELSE state END,
    carried_at_ms = carried_at_ms + ? WHERE account_id = ? AND state <> 'delivered'`,
  moveDelivered: "UPDATE entries SET account_id = ? WHERE account_id = ? AND state = 'delivered'",
  demoteReady: "UPDATE entries SET state = 'waiting' WHERE account_id = ? AND state = 'ready'",
  promoteAll: `UPDATE entries SET state = 'ready' WHERE position IN (SELECT min(position) FROM entries
      WHERE account_id = ? AND state = 'waiting' GROUP BY conversation_id)
    AND conversation_id NOT IN (SELECT conversation_id FROM entries WHERE account_id = ? AND state = 'in_flight')`,
  rename: 'UPDATE accounts SET account = ? WHERE id = ?',
  deleteAccount: 'DELETE FROM accounts WHERE id = ?',
  moveAliases: 'UPDATE aliases SET account = ? WHERE account = ?',
  addAlias: 'INSERT INTO aliases (alias, account) VALUES (?, ?) ON CONFLICT DO UPDATE SET account = excluded.account',
  accountOf: `SELECT ${NAMED} AS account`,
} as const;

export type OutboxStatements = Statements<keyof typeof SQL>;
