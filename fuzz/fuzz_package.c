/* F4: a package, without its signature: read within its bounds, and what is taken is whole. */
#include <stdlib.h>
#include <string.h>

#include "package/container.h"
#include "package/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static struct package_record record;
    char why[PACKAGE_WHY_BYTES_MAX] = "";
    int r = container_parse(&record.manifest, bytes, n_bytes, why);
    uint64_t n_files = 0;

    if (r != 0) {
        if (r != PACKAGE_E_BAD || why[0] == '\0') {
            abort(); /* refused without saying why */
        }
        return 0;
    }
    record.state = PACKAGE_SIGNED;
    if (!record_is_sane(&record, n_bytes)) {
        abort(); /* the launcher would refuse what its own parser takes */
    }
    for (size_t i = 0; i < record.manifest.n_files; i++) {
        n_files += record.manifest.files[i].n_bytes;
    }
    if (n_files > n_bytes ||
        (record.manifest.form == MANIFEST_FORM_MODULE && !manifest_module(&record.manifest))) {
        abort();
    }
    return 0;
}
