/* posix_timer.h: the timers of timer_create(2): they belong to a process, and tell it, or
 * one of its threads, by a signal. They end with its program. */
#ifndef SHIM_PROC_POSIX_TIMER_H
#define SHIM_PROC_POSIX_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/proc/itimer.h"

struct process;
struct signal_info;
struct posix_timer;

enum posix_timer_clock {
	POSIX_TIMER_REAL,
	POSIX_TIMER_MONOTONIC,
	POSIX_TIMER_PROCESS,
	POSIX_TIMER_THREAD
};

struct posix_timer_spec {
	enum posix_timer_clock clock;
	int clock_tid;    /* POSIX_TIMER_THREAD: whose time is counted */
	int signo;        /* 0: no signal is sent */
	int notify_tid;   /* 0: the process as a whole */
	bool value_is_id; /* no sigevent was given */
	uint64_t value;   /* si_value */
};

/* Its number, or -EAGAIN. */
long posix_timer_make(struct process *process, const struct posix_timer_spec *spec);
struct posix_timer *posix_timer_find(struct process *process, int id);
struct itimer_value posix_timer_get(struct posix_timer *timer);
/* absolute: value.left_ns is a time of the timer's clock. */
void posix_timer_set(struct posix_timer *timer, struct itimer_value value, bool absolute);
/* Expirations that the signal taken last stood for, beside its own. */
int posix_timer_overrun(const struct posix_timer *timer);
void posix_timer_remove(struct posix_timer *timer);
void posix_timers_remove_all(struct process *process);

/* The signal that a timer sent is being taken: counts what it stands for, and lets the
 * timer go on. */
void posix_timer_signal_taken(struct process *process, struct signal_info *info);

#endif
