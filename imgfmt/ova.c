/* ova.c: an OVF package (DMTF DSP0243) in one file: descriptor, manifest of digests,
 * disk. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "imgfmt/digest_hex.h"
#include "imgfmt/format.h"
#include "imgfmt/tar.h"

#define MEMORY_MIB 256u
#define NAME_BYTES 80u /* with its endings it must fit a tar header */

static const char descriptor[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	"<Envelope xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\""
	" xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\""
	" xmlns:rasd=\"http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
	"CIM_ResourceAllocationSettingData\""
	" xmlns:vssd=\"http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
	"CIM_VirtualSystemSettingData\">\n"
	"  <References>\n"
	"    <File ovf:id=\"file1\" ovf:href=\"%s.vmdk\" ovf:size=\"%" PRIu64 "\"/>\n"
	"  </References>\n"
	"  <DiskSection>\n"
	"    <Info>Virtual disks</Info>\n"
	"    <Disk ovf:diskId=\"disk1\" ovf:fileRef=\"file1\" ovf:capacity=\"%" PRIu64
	"\""
	" ovf:format=\"http://www.vmware.com/interfaces/specifications/vmdk.html"
	"#streamOptimized\"/>\n"
	"  </DiskSection>\n"
	"  <NetworkSection>\n"
	"    <Info>Networks</Info>\n"
	"    <Network ovf:name=\"network\"><Description>the one network</Description>"
	"</Network>\n"
	"  </NetworkSection>\n"
	"  <VirtualSystem ovf:id=\"%s\">\n"
	"    <Info>One program, nothing else</Info>\n"
	"    <Name>%s</Name>\n"
	"    <OperatingSystemSection ovf:id=\"102\">\n"
	"      <Info>The guest system: other, 64 bits</Info>\n"
	"    </OperatingSystemSection>\n"
	"    <VirtualHardwareSection>\n"
	"      <Info>Virtual hardware</Info>\n"
	"      <System>\n"
	"        <vssd:ElementName>Virtual hardware family</vssd:ElementName>\n"
	"        <vssd:InstanceID>0</vssd:InstanceID>\n"
	"        <vssd:VirtualSystemType>vmx-10</vssd:VirtualSystemType>\n"
	"      </System>\n"
	"      <Item>\n"
	"        <rasd:ElementName>1 processor</rasd:ElementName>\n"
	"        <rasd:InstanceID>1</rasd:InstanceID>\n"
	"        <rasd:ResourceType>3</rasd:ResourceType>\n"
	"        <rasd:VirtualQuantity>1</rasd:VirtualQuantity>\n"
	"      </Item>\n"
	"      <Item>\n"
	"        <rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits>\n"
	"        <rasd:ElementName>%u MB of memory</rasd:ElementName>\n"
	"        <rasd:InstanceID>2</rasd:InstanceID>\n"
	"        <rasd:ResourceType>4</rasd:ResourceType>\n"
	"        <rasd:VirtualQuantity>%u</rasd:VirtualQuantity>\n"
	"      </Item>\n"
	"      <Item>\n"
	"        <rasd:Address>0</rasd:Address>\n"
	"        <rasd:ElementName>SATA controller</rasd:ElementName>\n"
	"        <rasd:InstanceID>3</rasd:InstanceID>\n"
	"        <rasd:ResourceSubType>AHCI</rasd:ResourceSubType>\n"
	"        <rasd:ResourceType>20</rasd:ResourceType>\n"
	"      </Item>\n"
	"      <Item>\n"
	"        <rasd:AddressOnParent>0</rasd:AddressOnParent>\n"
	"        <rasd:ElementName>disk</rasd:ElementName>\n"
	"        <rasd:HostResource>ovf:/disk/disk1</rasd:HostResource>\n"
	"        <rasd:InstanceID>4</rasd:InstanceID>\n"
	"        <rasd:Parent>3</rasd:Parent>\n"
	"        <rasd:ResourceType>17</rasd:ResourceType>\n"
	"      </Item>\n"
	"      <Item>\n"
	"        <rasd:AutomaticAllocation>true</rasd:AutomaticAllocation>\n"
	"        <rasd:Connection>network</rasd:Connection>\n"
	"        <rasd:ElementName>network</rasd:ElementName>\n"
	"        <rasd:InstanceID>5</rasd:InstanceID>\n"
	"        <rasd:ResourceType>10</rasd:ResourceType>\n"
	"      </Item>\n"
	"    </VirtualHardwareSection>\n"
	"  </VirtualSystem>\n"
	"</Envelope>\n";

/* The virtual machine's name as XML and file names have it: what is neither becomes '_'.
 */
static void plain_name(char out[NAME_BYTES], const char *name)
{
	size_t i = 0;
	for (; name[i] && i + 1 < NAME_BYTES; i++)
		out[i] = strchr("+-._", name[i]) || isalnum((unsigned char)name[i])
				 ? name[i]
				 : '_';
	out[i] = '\0';
}

static int put_text(struct file_plan *file, const char *name, const char *ending,
		    const char *text, uint64_t seconds, struct diag *why)
{
	char path[NAME_BYTES + 8];
	struct extents contents = {0};
	snprintf(path, sizeof(path), "%s%s", name, ending);
	struct tar_member member = {.name = path,
				    .size = strlen(text),
				    .mode = 0644,
				    .seconds = seconds,
				    .type = '0'};
	int rc = extents_add(&contents, 0, text, strlen(text))
			 ? diag_set(why, "out of memory")
			 : tar_append(file, &member, &contents, why);
	extents_free(&contents);
	return rc;
}

static int put_manifest(char **out, const char *name, const char *ovf,
			const struct extents *disk)
{
	uint8_t digest[2][SHA256_BYTES];
	char hex[2][HEX_ROOM];
	sha256_of(ovf, strlen(ovf), digest[0]);
	extents_hash(disk, digest[1]);
	for (size_t i = 0; i < 2; i++)
		digest_hex(digest[i], hex[i]);
	return asprintf(out, "SHA256(%s.ovf)= %s\nSHA256(%s.vmdk)= %s\n", name, hex[0],
			name, hex[1]);
}

int ova_write(struct file_plan *file, const struct image_plan *plan, struct diag *why)
{
	struct file_plan disk = {0};
	char name[NAME_BYTES], *ovf = NULL, *manifest = NULL;
	plain_name(name, plan->name);
	struct image_plan inner = *plan;
	inner.name = name;
	int rc = vmdk_write(&disk, &inner, why);
	if (!rc && (asprintf(&ovf, descriptor, name, disk.extents.size, plan->disk->size,
			     name, name, MEMORY_MIB, MEMORY_MIB) < 0 ||
		    put_manifest(&manifest, name, ovf, &disk.extents) < 0))
		rc = diag_set(why, "out of memory");
	char path[NAME_BYTES + 8];
	snprintf(path, sizeof(path), "%s.vmdk", name);
	struct tar_member member = {.name = path,
				    .size = disk.extents.size,
				    .mode = 0644,
				    .seconds = plan->seconds,
				    .type = '0'};
	if (!rc)
		rc = put_text(file, name, ".ovf", ovf, plan->seconds, why) ||
		     put_text(file, name, ".mf", manifest, plan->seconds, why) ||
		     tar_append(file, &member, &disk.extents, why) ||
		     tar_append_end(file, why);
	if (file_plan_own(file, ovf, why) || file_plan_own(file, manifest, why) ||
	    file_plan_adopt(file, &disk, why))
		rc = -1;
	return rc ? -1 : 0;
}

bool ova_probe(const uint8_t *bytes, size_t size)
{
	struct tar_cursor cursor = {.bytes = bytes, .size = size};
	struct tar_found first;
	return tar_next(&cursor, &first) == 1 && strlen(first.name) > 4 &&
	       strcmp(first.name + strlen(first.name) - 4, ".ovf") == 0;
}

int ova_read(struct disk_view *view, const uint8_t *bytes, size_t size, struct diag *why)
{
	struct tar_found disk;
	int found = tar_find(bytes, size, ".vmdk", &disk);
	if (found != 1)
		return diag_set(why, found ? "a damaged ova: no tar archive, or cut short"
					   : "an ova without a .vmdk");
	return vmdk_read(view, disk.bytes, disk.size, why);
}
