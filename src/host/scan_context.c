/*
 * The pes_scan_* calls that a module makes while it scans (pes/provider.h).
 *
 * Verified context is looked up only among what the broker verified, everything else only among
 * what the client claimed: a claim cannot stand in for a verified field. The broker checks numbers
 * and types of fields before; here an unknown one is simply not found.
 */
#include "host/scan_context.h"

#include "sys/clock.h"

#define VERIFIED_FIRST 600
#define VERIFIED_LAST  699

static const struct wire_item *find_item(const struct wire_scan *scan, uint32_t field)
{
    bool is_verified = field >= VERIFIED_FIRST && field <= VERIFIED_LAST;
    const struct wire_item *items = is_verified ? scan->verified : scan->context;
    size_t n_items = is_verified ? scan->n_verified : scan->n_context;

    for (size_t i = 0; i < n_items; i++) {
        if (items[i].field == field) {
            return &items[i];
        }
    }
    return NULL;
}

uint32_t pes_scan_kind(const struct pes_scan *scan)
{
    return scan->question->kind;
}

const uint8_t *pes_scan_bytes(const struct pes_scan *scan, size_t *ret_n_bytes)
{
    *ret_n_bytes = scan->n_bytes;
    return scan->bytes;
}

const char *pes_scan_text(const struct pes_scan *scan, uint32_t field, size_t *ret_n_bytes)
{
    const struct wire_item *item = find_item(scan->question, field);

    if (!item) {
        *ret_n_bytes = 0;
        return NULL;
    }
    *ret_n_bytes = item->text.size;
    return item->text.size > 0 ? (const char *)item->text.data : "";
}

uint64_t pes_scan_number(const struct pes_scan *scan, uint32_t field)
{
    const struct wire_item *item = find_item(scan->question, field);

    return item ? item->value : 0;
}

uint32_t pes_scan_flags(const struct pes_scan *scan)
{
    return scan->question->flags;
}

uint64_t pes_scan_time_left_us(const struct pes_scan *scan)
{
    uint64_t now_us = clock_now_us();

    return now_us < scan->deadline_us ? scan->deadline_us - now_us : 0;
}

int pes_scan_find(struct pes_scan *scan, const struct pes_found *found)
{
    return answer_find(&scan->answer, found);
}

void pes_scan_evidence(struct pes_scan *scan, int finding, uint64_t offset, uint64_t length,
                       const char *what)
{
    answer_evidence(&scan->answer, finding, offset, length, what);
}

void pes_scan_decoded(struct pes_scan *scan, const void *bytes, size_t n_bytes)
{
    answer_decoded(&scan->answer, bytes, n_bytes);
}

void pes_scan_verdict(struct pes_scan *scan, uint32_t verdict)
{
    answer_verdict(&scan->answer, verdict);
}

void pes_scan_coverage(struct pes_scan *scan, uint32_t coverage, uint64_t bytes_examined)
{
    answer_coverage(&scan->answer, coverage, bytes_examined);
}
