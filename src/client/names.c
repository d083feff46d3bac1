/*
 * Names of numbers, for applications. The tables are the registry's (wire/names.c).
 *
 * A number that this version does not know is not an error: the broker may be newer. It reads
 * "unknown", and whoever shows it can show the number beside it.
 */
#include "wire/names.h"

#include <stddef.h>
#include <stdint.h>

#include <pes/enums.h>
#include <pes/names.h>

#include "base/signal_name.h"
#include "wire/name_table.h"

static const char *name_or_unknown(const struct name_table *table, uint32_t number)
{
    const char *name = name_of(table, number);

    return name ? name : "unknown";
}

const char *pes_kind_name(uint32_t kind)
{
    const struct kind_info *info = kind_by_number(kind);

    return info ? info->name : "unknown";
}

const char *pes_kind_doc(uint32_t kind)
{
    const struct kind_info *info = kind_by_number(kind);

    return info ? info->doc : "unknown";
}

uint32_t pes_kind_number(const char *name)
{
    const struct kind_info *info = name ? kind_by_name(name) : NULL;

    return info ? info->number : (uint32_t)PES_KIND_NONE;
}

uint32_t pes_kind_at(size_t index)
{
    return index < wire_n_kinds ? wire_kinds[index].number : (uint32_t)PES_KIND_NONE;
}

const char *pes_verdict_name(uint32_t verdict)
{
    return name_or_unknown(&wire_verdict_names, verdict);
}

int pes_verdict_is_finding(uint32_t verdict)
{
    return verdict_is_finding(verdict);
}

const char *pes_coverage_name(uint32_t coverage)
{
    return name_or_unknown(&wire_coverage_names, coverage);
}

const char *pes_disposition_name(uint32_t disposition)
{
    return name_or_unknown(&wire_disposition_names, disposition);
}

const char *pes_decided_by_name(uint32_t decided_by)
{
    return name_or_unknown(&wire_decided_by_names, decided_by);
}

const char *pes_action_name(uint32_t action)
{
    return name_or_unknown(&wire_action_names, action);
}

const char *pes_status_name(uint32_t status)
{
    return name_or_unknown(&wire_status_names, status);
}

const char *pes_severity_name(uint32_t severity)
{
    return name_or_unknown(&wire_severity_names, severity);
}

const char *pes_limit_name(uint32_t limit)
{
    return name_or_unknown(&wire_limit_names, limit);
}

const char *pes_mode_name(uint32_t mode)
{
    return name_or_unknown(&wire_mode_names, mode);
}

const char *pes_provider_state_name(uint32_t state)
{
    return name_or_unknown(&wire_provider_state_names, state);
}

uint32_t pes_reason_number(const char *name)
{
    uint32_t number;

    if (!name || !name_number(&wire_reason_names, name, &number)) {
        return PES_REASON_NONE;
    }
    return number;
}

const char *pes_reason_at(size_t index)
{
    /* Row 0 is "none", which is not a reason. */
    return index + 1 < wire_reason_names.n_rows ? wire_reason_names.rows[index + 1].name : NULL;
}

const char *pes_signal_name(uint32_t signal)
{
    return signal_name(signal <= INT32_MAX ? (int)signal : -1);
}
