/*
 * engine_scan: asks libclamav and reports what it finds and what it left out.
 *
 * It promises that coverage is full only when libclamav met no limit, no password, nothing that it
 * calls broken, had nothing to complain about, and looked at as much as each container promises
 * (layer_watch.h). It never says known_good: no finding is no proof.
 *
 * libclamav looks at its clock between files and now and then within one; where it takes longer
 * than that, the broker ends the worker. Its own limit is the time that the question has left, less
 * an eighth for ending and answering.
 */
#include <stdio.h>
#include <string.h>

#include "providers/clamav/detection.h"
#include "providers/clamav/engine.h"
#include "providers/clamav/layer_watch.h"

#define TOO_SMALL_MAX 5u /* libclamav does not look at that little */
#define NAMES_MAX     32u
#define RESERVE(left) ((left) / 8)
#define TIME_MS_MIN   10u

/* One scan. Messages come without a context, and there is one thread: hence static. */
struct report {
    struct engine *engine;
    struct pes_scan *scan;
    struct layer_watch watch;
    char names[NAMES_MAX][129]; /* that were reported */
    size_t n_names;
    uint32_t gaps;
};

static struct report report;

static bool is_repeated(const char *name)
{
    for (size_t i = 0; i < report.n_names; i++) {
        if (strncmp(report.names[i], name, sizeof(report.names[0]) - 1) == 0) {
            return true;
        }
    }
    if (report.n_names < NAMES_MAX) {
        snprintf(report.names[report.n_names++], sizeof(report.names[0]), "%s", name);
    }
    return false;
}

static bool is_wanted(const struct settings *settings, uint32_t gap)
{
    switch ((enum gap)gap) {
    case GAP_ENCRYPTED:
        return settings->alert_encrypted;
    case GAP_MALFORMED:
        return settings->alert_broken;
    case GAP_FAILED:
    case GAP_TIME:
    case GAP_SIZE:
    case GAP_DEPTH:
    case GAP_UNSUPPORTED:
        return settings->alert_limits;
    }
    return true;
}

static void found(int fd, const char *name, void *context)
{
    struct detection detection;

    if (!name || is_repeated(name)) {
        return; /* the same signature, in another layer */
    }
    detection_read(&detection, name);
    report.gaps |= detection.gap;
    if (!is_wanted(&report.engine->settings, detection.gap)) {
        return;
    }
    pes_scan_find(report.scan, &(struct pes_found){
                                   .size_bytes = sizeof(struct pes_found),
                                   .verdict = detection.verdict,
                                   .severity = detection.severity,
                                   .advice = detection.advice,
                                   .detection = name,
                                   .family = detection.family[0] ? detection.family : NULL,
                                   .rule_id = name,
                               });
}

static cl_error_t layer_inspected(int fd, const char *type, const char **ancestors,
                                  size_t parent_size, const char *name, size_t size,
                                  const char *bytes, uint32_t level, uint32_t attributes,
                                  void *context)
{
    layer_watch_take(&report.watch,
                     &(struct layer_seen){
                         .type = type ? type : "",
                         .bytes = (const uint8_t *)bytes,
                         .n_bytes = size,
                         .level = level,
                         .is_named = name != NULL,
                         .is_normalised = (attributes & LAYER_ATTRIBUTES_NORMALIZED) != 0,
                     });
    return CL_CLEAN;
}

/* Whatever it complains about, such as a full disk, it goes on. */
static void complained(enum cl_msg severity, const char *full, const char *text, void *context)
{
    if (severity == CL_MSG_ERROR || severity == CL_MSG_WARN) {
        report.gaps |= GAP_DEPTH;
    }
}

void engine_scan_prepare(struct engine *engine)
{
    cl_engine_set_clcb_virus_found(engine->engine, found);
    cl_engine_set_clcb_file_inspection(engine->engine, layer_inspected);
    cl_set_clcb_msg(complained);
}

static uint32_t gap_of(cl_error_t status)
{
    switch (status) {
    case CL_CLEAN:
    case CL_VIRUS:
        return 0;
    case CL_ETIMEOUT:
        return GAP_TIME;
    case CL_EMAXSIZE:
        return GAP_SIZE;
    case CL_EMAXREC:
    case CL_EMAXFILES:
        return GAP_DEPTH;
    case CL_EFORMAT:
    case CL_EPARSE:
        return GAP_MALFORMED;
    default: /* theirs, not ours */
        return GAP_FAILED;
    }
}

/* What weighs most, if several things were left out. */
static uint32_t coverage_of(uint32_t gaps)
{
    static const struct {
        enum gap gap;
        enum pes_coverage coverage;
    } order[] = {
        {GAP_FAILED, PES_COVERAGE_NOT_EXAMINED},
        {GAP_TIME, PES_COVERAGE_PARTIAL_TIME},
        {GAP_SIZE, PES_COVERAGE_PARTIAL_SIZE},
        {GAP_ENCRYPTED, PES_COVERAGE_ENCRYPTED},
        {GAP_MALFORMED, PES_COVERAGE_MALFORMED},
        {GAP_DEPTH, PES_COVERAGE_PARTIAL_DEPTH},
        /* Not "unsupported", by which a provider says that it is not its affair: this one opens
         * archives, and could not open this. */
        {GAP_UNSUPPORTED, PES_COVERAGE_PARTIAL_DEPTH},
    };

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if (gaps & order[i].gap) {
            return order[i].coverage;
        }
    }
    return PES_COVERAGE_FULL;
}

/* Returns whether there is enough time left to begin. */
static bool time_set(struct engine *engine, uint64_t left_us)
{
    uint64_t limit_ms = (left_us - RESERVE(left_us)) / 1000;

    if (limit_ms < TIME_MS_MIN) {
        return false;
    }
    if (limit_ms > engine->settings.max_scantime) {
        limit_ms = engine->settings.max_scantime;
    }
    return cl_engine_set_num(engine->engine, CL_ENGINE_MAX_SCANTIME, (long long)limit_ms) ==
           CL_SUCCESS;
}

static void bytes_scan(struct engine *engine, const uint8_t *bytes, size_t n_bytes)
{
    cl_fmap_t *map = cl_fmap_open_memory(bytes, n_bytes);
    const char *name = NULL;
    unsigned long n_scanned = 0;

    if (!map) {
        report.gaps |= GAP_FAILED;
        return;
    }
    layer_watch_init(&report.watch);
    report.gaps |= gap_of(
        cl_scanmap_callback(map, NULL, &name, &n_scanned, engine->engine, &engine->options, NULL));
    layer_watch_end(&report.watch);
    report.gaps |= report.watch.gaps;
    if (report.watch.n_seen == 0) {
        report.gaps |= GAP_FAILED; /* it says "clean" when it cannot make its temporary folder */
    }
    cl_fmap_close(map);
}

void engine_scan(struct engine *engine, struct pes_scan *scan)
{
    size_t n_bytes;
    const uint8_t *bytes = pes_scan_bytes(scan, &n_bytes);

    if (n_bytes == 0) {
        pes_scan_coverage(scan, PES_COVERAGE_FULL, 0);
        return;
    }
    if (n_bytes <= TOO_SMALL_MAX) {
        pes_scan_coverage(scan, PES_COVERAGE_TOO_SMALL, 0);
        return;
    }
    if (n_bytes > engine->settings.max_filesize) {
        pes_scan_coverage(scan, PES_COVERAGE_TOO_LARGE, 0);
        return;
    }
    if (!time_set(engine, pes_scan_time_left_us(scan))) {
        pes_scan_coverage(scan, PES_COVERAGE_PARTIAL_TIME, 0);
        return;
    }
    report.engine = engine;
    report.scan = scan;
    report.n_names = 0;
    report.gaps = 0;
    bytes_scan(engine, bytes, n_bytes);
    pes_scan_coverage(scan, coverage_of(report.gaps),
                      report.gaps & (GAP_FAILED | GAP_TIME) ? 0 : n_bytes);
}
