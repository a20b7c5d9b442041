/* tcp_recovery.c: what the peer has selectively acknowledged (RFC 2018), what is
 * therefore lost and what is still on its way (RFC 6675). Without SACK duplicates stand
 * for segments that have arrived somewhere above the first hole (RFC 6582). Pure. */
#include "shim/net/tcp_internal.h"

static void sack_insert(struct tcp *tcp, struct tcp_range range, bool *news)
{
	struct tcp_range *r = tcp->sacked;
	uint32_t i = 0;
	while (i < tcp->sacked_count && seq_lt(r[i].end, range.start))
		i++;
	uint32_t j = i;
	for (; j < tcp->sacked_count && seq_le(r[j].start, range.end); j++) {
		if (j == i && seq_le(r[j].start, range.start) &&
		    seq_le(range.end, r[j].end))
			return; /* known */
		if (seq_lt(r[j].start, range.start))
			range.start = r[j].start;
		if (seq_lt(range.end, r[j].end))
			range.end = r[j].end;
	}
	if (i == j && tcp->sacked_count == TCP_RANGES_OUT)
		return; /* forgotten: it will be sent again */
	memmove(r + i + 1, r + j, (tcp->sacked_count - j) * sizeof(*r));
	r[i] = range;
	tcp->sacked_count = (uint8_t)(tcp->sacked_count + 1 - (j - i));
	*news = true;
}

void tcp_sack_input(struct tcp *tcp, const struct tcp_segment *s, bool *news)
{
	const uint32_t una = seq_lt(tcp->send_una, s->ack) ? s->ack : tcp->send_una;
	for (uint32_t i = 0; i < s->sack_count; i++) {
		struct tcp_range range = s->sack[i];
		/* A duplicate's report (RFC 2883) or nonsense. */
		if (seq_lt(range.start, una) || !seq_lt(range.start, range.end) ||
		    seq_lt(tcp->send_next, range.end))
			continue;
		sack_insert(tcp, range, news);
	}
}

void tcp_sack_forget(struct tcp *tcp)
{
	uint32_t gone = 0;
	while (gone < tcp->sacked_count && seq_le(tcp->sacked[gone].end, tcp->send_una))
		gone++;
	tcp->sacked_count = (uint8_t)(tcp->sacked_count - gone);
	memmove(tcp->sacked, tcp->sacked + gone,
		tcp->sacked_count * sizeof(*tcp->sacked));
	if (tcp->sacked_count && seq_lt(tcp->sacked[0].start, tcp->send_una))
		tcp->sacked[0].start = tcp->send_una;
}

/* IsLost of RFC 6675 for the gap before sacked[i]. */
static bool gap_lost(const struct tcp *tcp, uint32_t i)
{
	if (i >= tcp->sacked_count)
		return false;
	if (tcp->sacked_count - i >= 3 || (!i && tcp->recovery == TCP_RECOVERY_FAST))
		return true;
	uint32_t above = 0;
	for (; i < tcp->sacked_count; i++)
		above += tcp->sacked[i].end - tcp->sacked[i].start;
	return above > 2u * tcp->mss;
}

bool tcp_loss_seen(const struct tcp *tcp)
{
	if (tcp->duplicate_acks >= 3)
		return tcp->sack || seq_lt(tcp->recover, tcp->send_una);
	return gap_lost(tcp, 0);
}

/* How far from start on, within the gap before sacked[i], bytes are lost. */
static uint32_t lost_end(const struct tcp *tcp, uint32_t i, uint32_t start, uint32_t end)
{
	if (tcp->recovery == TCP_RECOVERY_NONE)
		return start;
	if (tcp->recovery == TCP_RECOVERY_LOSS)
		return seq_lt(end, tcp->recover)     ? end
		       : seq_lt(start, tcp->recover) ? tcp->recover
						     : start;
	if (tcp->sacked_count)
		return gap_lost(tcp, i) ? end : start;
	return start == tcp->send_una ? start + min32(tcp_payload_max(tcp), end - start)
				      : start;
}

uint32_t tcp_pipe(const struct tcp *tcp)
{
	uint32_t pipe = 0, start = tcp->send_una;
	for (uint32_t i = 0; i <= tcp->sacked_count; i++) {
		const uint32_t end =
			i < tcp->sacked_count ? tcp->sacked[i].start : tcp->send_next;
		pipe += end - lost_end(tcp, i, start, end);
		if (tcp->recovery != TCP_RECOVERY_NONE &&
		    seq_lt(start, tcp->high_retransmit))
			pipe += min32(end - start, tcp->high_retransmit - start);
		if (i < tcp->sacked_count)
			start = tcp->sacked[i].end;
	}
	const uint32_t arrived =
		tcp->sack ? 0 : tcp->duplicate_acks * tcp_payload_max(tcp);
	return pipe > arrived ? pipe - arrived : 0;
}

bool tcp_next_hole(const struct tcp *tcp, bool lost_only, struct tcp_range *hole)
{
	uint32_t start = tcp->send_una;
	for (uint32_t i = 0; i <= tcp->sacked_count; i++) {
		const bool last = i == tcp->sacked_count;
		uint32_t end = last ? tcp->send_next : tcp->sacked[i].start;
		if (lost_only)
			end = lost_end(tcp, i, start, end);
		else if (last)
			return false; /* nothing shows that these are missing */
		const uint32_t from = seq_lt(start, tcp->high_retransmit)
					      ? tcp->high_retransmit
					      : start;
		if (seq_lt(from, end)) {
			hole->start = from;
			hole->end = end;
			return true;
		}
		if (!last)
			start = tcp->sacked[i].end;
	}
	return false;
}
