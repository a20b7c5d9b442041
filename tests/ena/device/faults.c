/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * faults.c: properties. Numbers are set at start (-device ena,depth=16); what is on or
 * off also by qom-set, while it runs. */
#include "qemu/osdep.h"

#include "device.h"
#include "hw/qdev-properties.h"

static Property properties[] = {
	DEFINE_NIC_PROPERTIES(EnaState, conf),
	DEFINE_PROP_UINT32("depth", EnaState, depth, 1024),
	DEFINE_PROP_UINT32("queues", EnaState, pairs, 8),
	DEFINE_PROP_UINT32("alive-ms", EnaState, alive_ms, 0),
	DEFINE_PROP_UINT32("transmit-ms", EnaState, transmit_ms, 0),
	DEFINE_PROP_UINT32("refused", EnaState, refused, 0),
	DEFINE_PROP_END_OF_LIST(),
};

/* Settable at any time. */
#define FLAGS(ROW)                                                                       \
	ROW(reset_refused, "reset-refused")                                              \
	ROW(shuffled, "shuffled")                                                        \
	ROW(llq_required, "llq-required")                                                \
	ROW(no_llq, "no-llq")                                                            \
	ROW(hang, "hang")                                                                \
	ROW(silent, "silent")                                                            \
	ROW(bad_rx_id, "bad-rx-id")                                                      \
	ROW(bad_tx_id, "bad-tx-id")                                                      \
	ROW(admin_hang, "admin-hang")                                                    \
	ROW(no_checksum, "no-checksum")                                                  \
	ROW(fatal, "fatal")                                                              \
	ROW(refusing, "refusing")                                                        \
	ROW(old_limits, "old-limits")                                                    \
	ROW(no_rss, "no-rss")                                                            \
	ROW(rss_fixed, "rss-fixed")

#define ACCESSORS(field, name)                                                           \
	static bool field##_get(Object *o, Error **errp)                                 \
	{                                                                                \
		return ENA(o)->field;                                                    \
	}                                                                                \
	static void field##_set(Object *o, bool value, Error **errp)                     \
	{                                                                                \
		ENA(o)->field = value;                                                   \
	}
FLAGS(ACCESSORS)

#define ADD(field, name)                                                                 \
	object_class_property_add_bool(class, name, field##_get, field##_set);

void faults_add_properties(ObjectClass *class)
{
	device_class_set_props(DEVICE_CLASS(class), properties);
	FLAGS(ADD)
}

void faults_add_counters(EnaState *s)
{
	const struct {
		const char *name;
		uint64_t *value;
	} counters[] = {{"dropped", &s->dropped},
			{"tx-interrupts", &s->interrupts[TX]},
			{"rx-interrupts", &s->interrupts[RX]},
			{"receivers", &s->receivers}};
	for (unsigned i = 0; i < ARRAY_SIZE(counters); i++)
		object_property_add_uint64_ptr(OBJECT(s), counters[i].name,
					       counters[i].value, OBJ_PROP_FLAG_READ);
}
