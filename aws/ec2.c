/* ec2.c: calls of EC2: forms go out, XML comes back. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/ec2.h"
#include "aws/encode.h"

static const struct sigv4_header form_type = {
	"content-type", "application/x-www-form-urlencoded; charset=utf-8"};

/* The body of a call in the making. */
struct form {
	FILE *to;
	char *text;
	size_t size;
};

static void form_begin(struct form *form, const char *action)
{
	*form = (struct form){0};
	form->to = open_memstream(&form->text, &form->size);
	if (form->to)
		fprintf(form->to, "Action=%s&Version=2016-11-15", action);
}

static void form_add(struct form *form, const char *value, const char *name, ...)
	__attribute__((format(printf, 3, 4)));

static void form_add(struct form *form, const char *value, const char *name, ...)
{
	va_list list;
	if (!form->to || !value)
		return;
	fputc('&', form->to);
	va_start(list, name);
	vfprintf(form->to, name, list);
	va_end(list);
	fputc('=', form->to);
	encode_form(form->to, value);
}

/* Sends a form and frees it. 0, -1 with *why, or 1 when AWS refuses with the one code
 * that is expected. rows_free in any case. */
static int form_send(struct aws *aws, struct form *form, const char *region,
		     const char *operation, bool young, const char *expected,
		     struct rows *rows, struct diag *why)
{
	*rows = (struct rows){0};
	if (!form->to || fclose(form->to)) {
		free(form->text);
		return diag_set(why, "out of memory");
	}
	struct call call = {.service = "ec2",
			    .operation = operation,
			    .region = region,
			    .method = "POST",
			    .target = "/",
			    .headers = {form_type},
			    .header_count = 1,
			    .body = form->text,
			    .body_size = form->size,
			    .young = young};
	int rc = aws_call(aws, &call, why);
	if (!rc && !aws->show)
		rc = call.exchange.reply ? rows_read_xml(rows, call.exchange.reply,
							 call.exchange.reply_size)
					 : -1;
	if (rc < 0 && expected && aws_code_is(&call, expected))
		rc = 1;
	if (rc < 0)
		aws_explain(aws, &call, why);
	call_free(&call);
	free(form->text);
	return rc;
}

static void copy_text(char *to, size_t room, const char *text)
{
	snprintf(to, room, "%s", text ? text : "");
}

/* Is it below path in the list of answers that `item` names? */
static bool is_path(const struct row *row, const char *item, const char *path)
{
	size_t size = strlen(item);
	return strncmp(row->path, item, size) == 0 && row->path[size] == '/' &&
	       strcmp(row->path + size + 1, path) == 0;
}

/* The value of our tag in the first item of a list. */
static void copy_digest(char to[2 * SHA256_BYTES + 1], const struct rows *rows,
			const char *item)
{
	const char *key = "";
	to[0] = '\0';
	for (size_t i = 0; i < rows->count; i++) {
		const struct row *row = &rows->list[i];
		if (is_path(row, item, "tagSet/item/key"))
			key = row->value;
		else if (is_path(row, item, "tagSet/item/value") &&
			 strcmp(key, EC2_DIGEST_TAG) == 0)
			copy_text(to, 2 * SHA256_BYTES + 1, row->value);
	}
}

int ec2_describe_snapshot(struct aws *aws, const char *region, const char *id, bool young,
			  struct ec2_snapshot *snapshot, struct diag *why)
{
	static const char expected[] = "InvalidSnapshot.NotFound";
	struct form form;
	struct rows rows;
	form_begin(&form, "DescribeSnapshots");
	form_add(&form, id, "SnapshotId.1");
	int rc = form_send(aws, &form, region, "DescribeSnapshots", young, expected,
			   &rows, why);
	copy_text(snapshot->state, sizeof(snapshot->state),
		  aws->show ? "completed" : rows_find(&rows, "snapshotSet/item/status"));
	copy_text(snapshot->message, sizeof(snapshot->message),
		  rows_find(&rows, "snapshotSet/item/statusMessage"));
	copy_digest(snapshot->digest, &rows, "snapshotSet/item");
	rows_free(&rows);
	return rc || snapshot->state[0] ? rc : EC2_NONE;
}

int ec2_delete_snapshot(struct aws *aws, const char *region, const char *id,
			struct diag *why)
{
	static const char expected[] = "InvalidSnapshot.NotFound";
	struct form form;
	struct rows rows;
	form_begin(&form, "DeleteSnapshot");
	form_add(&form, id, "SnapshotId");
	int rc = form_send(aws, &form, region, "DeleteSnapshot", false, expected, &rows,
			   why);
	rows_free(&rows);
	return rc < 0 ? rc : 0; /* not there: an earlier try, whose answer was lost */
}

/* The first image of an answer. */
static int take_image(struct ec2_image *image, const struct rows *rows)
{
	static const char item[] = "imagesSet/item";
	*image = (struct ec2_image){0};
	copy_text(image->id, sizeof(image->id),
		  rows_find(rows, "imagesSet/item/imageId"));
	copy_text(image->state, sizeof(image->state),
		  rows_find(rows, "imagesSet/item/imageState"));
	copy_text(image->message, sizeof(image->message),
		  rows_find(rows, "imagesSet/item/stateReason/message"));
	copy_text(
		image->snapshot, sizeof(image->snapshot),
		rows_find(rows, "imagesSet/item/blockDeviceMapping/item/ebs/snapshotId"));
	const char *encrypted =
		rows_find(rows, "imagesSet/item/blockDeviceMapping/item/ebs/encrypted");
	image->encrypted = encrypted && strcmp(encrypted, "true") == 0;
	copy_digest(image->digest, rows, item);
	return image->id[0] ? 0 : EC2_NONE;
}

int ec2_find_image(struct aws *aws, const char *region, const char *name,
		   struct ec2_image *image, struct diag *why)
{
	struct form form;
	struct rows rows;
	form_begin(&form, "DescribeImages");
	form_add(&form, "name", "Filter.1.Name");
	form_add(&form, name, "Filter.1.Value.1");
	form_add(&form, "self", "Owner.1");
	int rc = form_send(aws, &form, region, "DescribeImages", false, NULL, &rows, why);
	int found = take_image(image, &rows);
	rows_free(&rows);
	return rc ? rc : found;
}

int ec2_describe_image(struct aws *aws, const char *region, const char *id, bool young,
		       struct ec2_image *image, struct diag *why)
{
	static const char expected[] = "InvalidAMIID.NotFound";
	struct form form;
	struct rows rows;
	form_begin(&form, "DescribeImages");
	form_add(&form, id, "ImageId.1");
	int rc = form_send(aws, &form, region, "DescribeImages", young, expected, &rows,
			   why);
	int found = take_image(image, &rows);
	rows_free(&rows);
	if (!aws->show)
		return rc ? rc : found;
	*image = (struct ec2_image){
		.id = "AMI-ID", .snapshot = "SNAPSHOT-ID", .state = "available"};
	return 0;
}

/* The image that an answer names, under a path. */
static int take_id(const struct aws *aws, const struct rows *rows, char id[EC2_ID_ROOM],
		   const char *operation, struct diag *why)
{
	copy_text(id, EC2_ID_ROOM, aws->show ? "AMI-ID" : rows_find(rows, "imageId"));
	return id[0] ? 0 : diag_set(why, "%s: the answer names no image", operation);
}

int ec2_register_image(struct aws *aws, const char *region, const char *name,
		       const struct ami_registration *as, const char *snapshot,
		       char id[EC2_ID_ROOM], struct diag *why)
{
	static const char expected[] = "InvalidAMIName.Duplicate";
	struct form form;
	struct rows rows;
	form_begin(&form, "RegisterImage");
	form_add(&form, as->architecture, "Architecture");
	form_add(&form, as->root_device_name, "BlockDeviceMapping.1.DeviceName");
	form_add(&form, snapshot, "BlockDeviceMapping.1.Ebs.SnapshotId");
	form_add(&form, as->volume_type, "BlockDeviceMapping.1.Ebs.VolumeType");
	form_add(&form, as->delete_on_termination ? "true" : "false",
		 "BlockDeviceMapping.1.Ebs.DeleteOnTermination");
	form_add(&form, as->description, "Description");
	form_add(&form, as->ena_support ? "true" : "false", "EnaSupport");
	form_add(&form, name, "Name");
	form_add(&form, as->root_device_name, "RootDeviceName");
	form_add(&form, as->virtualization_type, "VirtualizationType");
	form_add(&form, as->boot_mode, "BootMode");
	form_add(&form, as->imds_support, "ImdsSupport");
	int rc = form_send(aws, &form, region, "RegisterImage", true, expected, &rows,
			   why);
	if (!rc)
		rc = take_id(aws, &rows, id, "RegisterImage", why);
	rows_free(&rows);
	return rc > 0 ? EC2_TAKEN : rc;
}

int ec2_copy_image(struct aws *aws, const struct ec2_copy *copy, char id[EC2_ID_ROOM],
		   struct diag *why)
{
	struct form form;
	struct rows rows;
	form_begin(&form, "CopyImage");
	form_add(&form, copy->client_token, "ClientToken");
	/* The digest's above all: who is interrupted now knows the copy by it. */
	form_add(&form, "true", "CopyImageTags");
	form_add(&form, copy->description, "Description");
	form_add(&form, copy->encrypted ? "true" : NULL, "Encrypted");
	form_add(&form, copy->kms_key, "KmsKeyId");
	form_add(&form, copy->name, "Name");
	form_add(&form, copy->image, "SourceImageId");
	form_add(&form, copy->from_region, "SourceRegion");
	int rc = form_send(aws, &form, copy->region, "CopyImage", true, NULL, &rows, why);
	if (!rc)
		rc = take_id(aws, &rows, id, "CopyImage", why);
	rows_free(&rows);
	return rc;
}

int ec2_tag(struct aws *aws, const char *region, const char *const *ids, size_t id_count,
	    const struct tag *tags, size_t tag_count, struct diag *why)
{
	struct form form;
	struct rows rows;
	form_begin(&form, "CreateTags");
	for (size_t i = 0; i < id_count; i++)
		form_add(&form, ids[i], "ResourceId.%zu", i + 1);
	for (size_t i = 0; i < tag_count; i++) {
		form_add(&form, tags[i].key, "Tag.%zu.Key", i + 1);
		form_add(&form, tags[i].value, "Tag.%zu.Value", i + 1);
	}
	int rc = form_send(aws, &form, region, "CreateTags", true, NULL, &rows, why);
	rows_free(&rows);
	return rc;
}

static int share_one(struct aws *aws, const char *region, const char *operation,
		     const char *name, const char *id, const char *permission,
		     const char *const *accounts, size_t account_count, struct diag *why)
{
	struct form form;
	struct rows rows;
	form_begin(&form, operation);
	/* In the order of the service's model, which awscli has too. */
	bool id_first = strcmp(name, "ImageId") == 0;
	if (id_first)
		form_add(&form, id, "%s", name);
	for (size_t i = 0; i < account_count; i++)
		form_add(&form, accounts[i], "%s.Add.%zu.UserId", permission, i + 1);
	if (!id_first)
		form_add(&form, id, "%s", name);
	int rc = form_send(aws, &form, region, operation, true, NULL, &rows, why);
	rows_free(&rows);
	return rc;
}

int ec2_share(struct aws *aws, const char *region, const struct ec2_image *image,
	      const char *const *accounts, size_t account_count, struct diag *why)
{
	return share_one(aws, region, "ModifySnapshotAttribute", "SnapshotId",
			 image->snapshot, "CreateVolumePermission", accounts,
			 account_count, why) ||
			       share_one(aws, region, "ModifyImageAttribute", "ImageId",
					 image->id, "LaunchPermission", accounts,
					 account_count, why)
		       ? -1
		       : 0;
}
