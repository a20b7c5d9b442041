/* futex_exit.c: what a thread leaves behind when it leaves its address space: the robust
 * list (set_robust_list(2)), and the word that those wait for who join it. */
#include "shim/lib/errno.h"
#include "shim/mm/vm.h"
#include "shim/proc/futex_queue.h"
#include "shim/proc/process.h"

/* struct robust_list_head: the first entry, the offset from an entry to its lock's word,
 * and the entry being locked or unlocked right now. Bit 0 of an entry: a PI lock. */
struct robust_head {
	uint64_t first;
	int64_t word_offset;
	uint64_t pending;
};
#define ROBUST_ENTRIES_MAX 2048 /* a list may be made to go round */

/* The word of a lock that self held, perhaps. */
static void lock_abandon(const struct thread *self, uaddr word, bool pi, bool pending)
{
	uint32_t value, found;
	if ((word.va & 3) || user_load32(&value, word) < 0)
		return;
	for (;; value = found) {
		if ((value & FUTEX_TID_MASK) != (uint32_t)self->tid) {
			/* Unlocked, but died before it could wake the next. */
			if (pending && !pi && value == 0)
				(void)futex_wake(word, 1, FUTEX_ANY);
			return;
		}
		uint32_t wanted = (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
		if (user_cmpxchg32(word, value, wanted, &found) < 0)
			return;
		if (found == value)
			break;
	}
	if (!pi && (value & FUTEX_WAITERS))
		(void)futex_wake(word, 1, FUTEX_ANY);
}

static uaddr word_of(const struct robust_head *head, uint64_t entry)
{
	return (uaddr){(entry & ~1ull) + (uint64_t)head->word_offset};
}

static void robust_list_abandon(struct thread *self)
{
	struct robust_head head;
	uint64_t list = self->robust_list, entry, next;
	self->robust_list = 0;
	if (!list || copy_from_user(&head, (uaddr){list}, sizeof(head)) < 0)
		return;
	entry = head.first;
	for (int n = 0; n < ROBUST_ENTRIES_MAX && (entry & ~1ull) != list; n++) {
		/* Before the lock is let go: its next owner may free the entry. */
		int rc = copy_from_user(&next, (uaddr){entry & ~1ull}, sizeof(next));
		if ((entry ^ head.pending) & ~1ull)
			lock_abandon(self, word_of(&head, entry), entry & 1, false);
		if (rc < 0)
			break;
		entry = next;
	}
	if (head.pending & ~1ull)
		lock_abandon(self, word_of(&head, head.pending), head.pending & 1, true);
}

void futex_thread_exit(struct thread *self)
{
	const struct process *process = self->process;
	if (!process->vm)
		return;
	robust_list_abandon(self);
	futex_pi_thread_exit(self);
	uaddr tid = {self->clear_tid};
	self->clear_tid = 0;
	/* Nobody can be waiting in a space that has no other user. */
	if (tid.va && (process->thread_count > 1 || process->vm->refs > 1) &&
	    user_store32(tid, 0) == 0)
		(void)futex_wake(tid, 1, FUTEX_ANY);
}
