/*
 * module_host: the calls that a module may make, kept instead of sent.
 *
 * It bounds what it keeps, like the real one, but does not rewrite names: a test sees what the
 * module said.
 */
#include "module_host.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "testing.h"

#define SCAN_TIME_US 10000000

const char *pes_load_definitions(const struct pes_load *load)
{
    return load->definitions;
}

const char *pes_load_option(const struct pes_load *load, const char *name)
{
    for (const char *const *o = load->options; o && *o; o += 2) {
        if (strcmp(o[0], name) == 0) {
            return o[1];
        }
    }
    return NULL;
}

const char *pes_load_scratch(const struct pes_load *load)
{
    return load->scratch;
}

void pes_load_version(struct pes_load *load, const char *version)
{
    snprintf(load->version, sizeof(load->version), "%s", version);
}

void pes_load_note(struct pes_load *load, const char *format, ...)
{
    size_t n = strlen(load->note);
    va_list args;

    va_start(args, format);
    vsnprintf(load->note + n, sizeof(load->note) - n, format, args);
    va_end(args);
}

void pes_load_fail(struct pes_load *load, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(load->failure, sizeof(load->failure), format, args);
    va_end(args);
}

uint32_t pes_scan_kind(const struct pes_scan *scan)
{
    return scan->kind;
}

const uint8_t *pes_scan_bytes(const struct pes_scan *scan, size_t *ret_n_bytes)
{
    *ret_n_bytes = scan->n_bytes;
    return scan->bytes;
}

const char *pes_scan_text(const struct pes_scan *scan, uint32_t field, size_t *ret_n_bytes)
{
    return NULL;
}

uint64_t pes_scan_number(const struct pes_scan *scan, uint32_t field)
{
    return 0;
}

uint32_t pes_scan_flags(const struct pes_scan *scan)
{
    return 0;
}

uint64_t pes_scan_time_left_us(const struct pes_scan *scan)
{
    return scan->time_left_us;
}

int pes_scan_find(struct pes_scan *scan, const struct pes_found *found)
{
    struct module_host_finding *finding = &scan->findings[scan->n_findings];

    if (scan->n_findings == MODULE_HOST_FINDINGS_MAX || !found->detection) {
        return -1;
    }
    *finding = (struct module_host_finding){
        .verdict = found->verdict,
        .severity = found->severity,
        .confidence = found->confidence,
        .advice = found->advice,
    };
    snprintf(finding->detection, sizeof(finding->detection), "%s", found->detection);
    snprintf(finding->family, sizeof(finding->family), "%s", found->family ? found->family : "");
    snprintf(finding->rule_id, sizeof(finding->rule_id), "%s",
             found->rule_id ? found->rule_id : "");
    snprintf(finding->technique, sizeof(finding->technique), "%s",
             found->technique ? found->technique : "");
    return (int)scan->n_findings++;
}

void pes_scan_evidence(struct pes_scan *scan, int finding, uint64_t offset, uint64_t length,
                       const char *what)
{
    struct module_host_finding *f = &scan->findings[finding];

    if (finding < 0 || (size_t)finding >= scan->n_findings) {
        return;
    }
    if (f->n_ranges++ == 0) {
        f->offset = offset;
        f->length = length;
        snprintf(f->what, sizeof(f->what), "%s", what ? what : "");
    }
}

void pes_scan_decoded(struct pes_scan *scan, const void *bytes, size_t n_bytes)
{
    scan->n_decoded = n_bytes < sizeof(scan->decoded) - 1 ? n_bytes : sizeof(scan->decoded) - 1;
    memcpy(scan->decoded, bytes, scan->n_decoded);
    scan->decoded[scan->n_decoded] = '\0';
}

void pes_scan_verdict(struct pes_scan *scan, uint32_t verdict)
{
    scan->verdict = verdict;
}

void pes_scan_coverage(struct pes_scan *scan, uint32_t coverage, uint64_t bytes_examined)
{
    scan->coverage = coverage;
    scan->n_examined = bytes_examined;
}

void module_host_open(struct module_host *host, const char *path)
{
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct pes_provider *(*entry)(void);

    if (!module) {
        fail_msg("%s", dlerror());
    }
    *(void **)&entry = dlsym(module, "pes_provider_v1");
    assert_non_null(entry);
    host->provider = entry();
}

int module_host_load(struct module_host *host, const char *definitions, const char *const *options)
{
    host->load =
        (struct pes_load){.definitions = definitions, .options = options, .scratch = host->scratch};
    return host->provider->load(&host->load, &host->state);
}

int module_host_scan(struct module_host *host, struct pes_scan *ret_scan, const void *bytes,
                     size_t n_bytes)
{
    *ret_scan = (struct pes_scan){
        .kind = PES_KIND_GENERIC,
        .bytes = bytes,
        .n_bytes = n_bytes,
        .time_left_us = host->time_left_us > 0 ? host->time_left_us : SCAN_TIME_US,
    };
    return host->provider->scan(host->state, ret_scan);
}

int module_host_scan_text(struct module_host *host, struct pes_scan *ret_scan, const char *text)
{
    return module_host_scan(host, ret_scan, text, strlen(text));
}

const struct module_host_finding *module_host_found(const struct pes_scan *scan,
                                                    const char *detection)
{
    for (size_t i = 0; i < scan->n_findings; i++) {
        if (strcmp(scan->findings[i].detection, detection) == 0) {
            return &scan->findings[i];
        }
    }
    return NULL;
}
