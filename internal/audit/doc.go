// Package audit shows, seals and proves an organization's record of who did what.
//
// The record is the rows of audit_log, which tenant.Tx.Record writes in the transaction of what they tell of. Sealing
// comes after, in the background, so that no posting waits for it: Seal gives every committed row of the record, and
// every journal entry with its lines, a seal that holds the hash of the one before it. What has no seal yet is what no
// seal names; ids and times would not do, since rows are not committed in their order.
//
// A hash is SHA-256 over netstrings (digits, colon, that many bytes of UTF-8, comma; "-," for what is absent) of
//
//	"countinghouse chain 1", the hash before, seq, sealed_at, shape,
//
// followed for shape 1, a row of the record, by id, at, actor_kind, actor_id, grant_id, action, object_kind,
// object_id, request_id, network, detail, before, after; and for shape 2, a journal entry, by id, number, date,
// description, source_kind, source_id, reverses_id, posted_at, posted_by, the number of its lines, and of each line in
// order line, account_id, party_id, currency, amount, memo. Hashes are small hex; the one before the first is that of
// the netstrings "countinghouse chain 1" and the organization's id. Times are UTC with microseconds, as in
// 2026-11-21T15:04:05.000000Z. A new shape gets a new number, and old seals stay what they are.
//
// A person's data stand in the record as salted digests (tenant.PersonalDigest), so that they can be erased and the
// chain stays whole. What the chain cannot show by itself is that all of it was made anew by someone who owns the
// database: for that, keep a head that was made before, on paper or in a mailbox, and look for it in the chain.
package audit
