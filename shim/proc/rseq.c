/* rseq.c: aborting restartable sequences. All that is in user memory may change at any
 * time, and is read once. */
#include "shim/proc/rseq.h"

#include "shim/arch/x86_64/cpu.h"
#include "shim/lib/errno.h"
#include "shim/mm/usercopy.h"
#include "shim/mm/vm.h"
#include "shim/proc/process.h"

/* include/uapi/linux/rseq.h */
struct rseq_area {
	uint32_t cpu_id_start, cpu_id;
	uint64_t sequence; /* user address of a struct sequence, or 0 */
	uint32_t flags;
	uint32_t padding[3];
};
_Static_assert(sizeof(struct rseq_area) == 32, "Linux ABI");

struct sequence {
	uint32_t version, flags;
	uint64_t start, length, abort;
};
_Static_assert(sizeof(struct sequence) == 32, "Linux ABI");

#define AREA_ALIGN    32u
#define UNREGISTER    1u
#define UNINITIALIZED UINT32_MAX
#define NO_CPU        UINT32_MAX

static int put_cpu(uint64_t area, uint32_t start, uint32_t id)
{
	uint32_t cpu[2] = {start, id};
	_Static_assert(offsetof(struct rseq_area, cpu_id) == 4, "one copy for both");
	return copy_to_user((uaddr){area}, cpu, sizeof(cpu));
}

static int unregister(struct rseq_state *rseq, uint64_t area, uint64_t size,
		      uint32_t signature)
{
	if (!area || rseq->area != area || size != sizeof(struct rseq_area))
		return -EINVAL;
	if (rseq->signature != signature)
		return -EPERM;
	int rc = put_cpu(area, 0, UNINITIALIZED);
	if (rc == 0)
		*rseq = (struct rseq_state){0};
	return rc;
}

int rseq_register(uint64_t area, uint64_t size, uint32_t flags, uint32_t signature)
{
	struct rseq_state *rseq = &thread_current()->rseq;
	if (flags == UNREGISTER)
		return unregister(rseq, area, size, signature);
	if (flags)
		return -EINVAL;
	if (rseq->area) {
		if (rseq->area != area || size != sizeof(struct rseq_area))
			return -EINVAL;
		return rseq->signature == signature ? -EBUSY : -EPERM;
	}
	if (area % AREA_ALIGN || size != sizeof(struct rseq_area))
		return -EINVAL;
	if (area >= USER_ADDRESS_END - sizeof(struct rseq_area))
		return -EFAULT;
	*rseq = (struct rseq_state){area, signature, NO_CPU, true};
	return 0;
}

void rseq_moved(struct thread *thread)
{
	thread->rseq.due = thread->rseq.area != 0;
}

static int sequence_end(uint64_t area)
{
	uint64_t none = 0;
	return copy_to_user((uaddr){area + offsetof(struct rseq_area, sequence)}, &none,
			    sizeof(none));
}

static int check(const struct sequence *s, uint32_t wanted)
{
	uint32_t signature;
	if (s->version || s->start >= USER_ADDRESS_END ||
	    s->length >= USER_ADDRESS_END - s->start || s->abort >= USER_ADDRESS_END ||
	    s->abort - s->start < s->length || s->abort < sizeof(signature))
		return -EINVAL;
	int rc = copy_from_user(&signature, (uaddr){s->abort - sizeof(signature)},
				sizeof(signature));
	return rc < 0 ? rc : signature == wanted ? 0 : -EINVAL;
}

/* Goes to the abort handler of the sequence that frame stands in; one that it has left is
 * forgotten. */
static int abort_sequence(const struct rseq_state *rseq, struct trapframe *frame)
{
	struct rseq_area area;
	struct sequence s;
	int rc = copy_from_user(&area, (uaddr){rseq->area}, sizeof(area));
	if (rc < 0 || !area.sequence)
		return rc;
	if (area.sequence >= USER_ADDRESS_END)
		return -EINVAL;
	rc = copy_from_user(&s, (uaddr){area.sequence}, sizeof(s));
	if (rc == 0)
		rc = check(&s, rseq->signature);
	if (rc < 0)
		return rc;
	bool inside = frame->rip - s.start < s.length;
	if (inside && (s.flags || area.flags)) /* of what is left, Linux does not look */
		return -EINVAL;
	rc = sequence_end(rseq->area);
	if (rc == 0 && inside)
		frame->rip = s.abort;
	return rc;
}

bool rseq_resume(struct trapframe *frame)
{
	struct rseq_state *rseq = &thread_current()->rseq;
	if (!rseq->due)
		return true;
	rseq->due = false;
	/* There are no system calls in sequences. */
	if (frame->vector == TRAP_SYSCALL && rseq->cpu == cpu_id())
		return true;
	rseq->cpu = cpu_id();
	return abort_sequence(rseq, frame) == 0 &&
	       put_cpu(rseq->area, rseq->cpu, rseq->cpu) == 0;
}

bool rseq_signal(struct trapframe *frame)
{
	rseq_moved(thread_current());
	return rseq_resume(frame);
}
