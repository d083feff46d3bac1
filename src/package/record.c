/*
 * The answer of pes-verify, looked at by whoever asked.
 *
 * pes-verify reads what strangers wrote. Should one of them ever get it to say something, then at
 * least nothing that reads past an end or leads out of the package.
 */
#include "package/record.h"

#include <string.h>

static bool is_ended(const char *text, size_t n_bytes)
{
    size_t n = strnlen(text, n_bytes);

    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] >= 0x7f) {
            return false;
        }
    }
    return n < n_bytes;
}

static bool is_manifest_sane(const struct manifest *manifest, size_t n_package)
{
    if (!is_ended(manifest->name, sizeof(manifest->name)) || !manifest_is_name(manifest->name) ||
        !is_ended(manifest->version, sizeof(manifest->version)) ||
        !is_ended(manifest->module, sizeof(manifest->module)) ||
        !is_ended(manifest->help_url, sizeof(manifest->help_url)) ||
        manifest->n_files > MANIFEST_FILES_MAX || manifest->n_kinds > MANIFEST_KINDS_MAX) {
        return false;
    }
    for (size_t i = 0; i < manifest->n_kinds; i++) {
        if (!is_ended(manifest->kinds[i], sizeof(manifest->kinds[i]))) {
            return false;
        }
    }
    for (size_t i = 0; i < manifest->n_files; i++) {
        const struct manifest_file *file = &manifest->files[i];

        if (!is_ended(file->name, sizeof(file->name)) || file->offset > n_package ||
            file->n_bytes > n_package - file->offset) {
            return false;
        }
    }
    return true;
}

bool record_is_sane(const struct package_record *record, size_t n_package)
{
    if (!is_ended(record->why, sizeof(record->why)) ||
        !is_ended(record->key_id, sizeof(record->key_id))) {
        return false;
    }
    switch ((enum package_state)record->state) {
    case PACKAGE_SIGNED:
        return is_manifest_sane(&record->manifest, n_package);
    case PACKAGE_REFUSED:
        return record->why[0] != '\0';
    case PACKAGE_UNDECIDED:
        break;
    }
    return false;
}
