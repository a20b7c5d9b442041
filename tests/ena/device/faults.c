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
	ROW(refusing, "refusing")

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
