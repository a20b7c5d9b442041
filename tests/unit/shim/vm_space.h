/* vm_space.h: address spaces and the words in them, for test_vm*.c. */
#ifndef TESTS_VM_SPACE_H
#define TESTS_VM_SPACE_H

#include "host_machine.h"

#include "shim/mm/vm.h"

#define BASE 0x10000000ull
#define RW   (PT_READ | PT_WRITE)

extern struct account account; /* that all spaces are charged to */

/* One machine for all: vm_fault.c keeps its page of zeros for ever. */
int space_boot(void **state);
int space_fresh(void **state); /* an empty account */

/* Where a program finds the word at va, after the fault that it may take. */
uint64_t *word_at(struct vmspace *vm, uint64_t va, enum vm_access access,
		  enum vm_fault_result *result);
void expect_word(struct vmspace *vm, uint64_t va, uint64_t value);
void put_word(struct vmspace *vm, uint64_t va, uint64_t value);
uint64_t map_at(struct vmspace *vm, uint64_t address, uint64_t pages, bool shared);
void check_areas(struct vmspace *vm); /* they are in order, and add up */

#endif
