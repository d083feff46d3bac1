/*
 * Runs a fuzz target over files instead of a fuzzer: replay_NAME FILE-OR-FOLDER...
 *
 * Built with any compiler and run by `meson test --suite fuzz` over the corpus that is in the tree,
 * so that what a fuzzer once found stays found. Each input is given in memory of exactly its size.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static size_t n_inputs;

static void replay_file(const char *path, size_t n_bytes)
{
    uint8_t *bytes = malloc(n_bytes ? n_bytes : 1);
    FILE *file = fopen(path, "re");

    if (!bytes || !file || fread(bytes, 1, n_bytes, file) != n_bytes) {
        perror(path);
        exit(1);
    }
    fclose(file);
    /* Said before, for whoever reads the log of a crash. */
    fprintf(stderr, "%s\n", path);
    (void)LLVMFuzzerTestOneInput(bytes, n_bytes);
    n_inputs++;
    free(bytes);
}

static void replay(const char *path)
{
    struct dirent *entry;
    struct stat st;
    DIR *dir;

    if (stat(path, &st) < 0) {
        perror(path);
        exit(1);
    }
    if (!S_ISDIR(st.st_mode)) {
        replay_file(path, (size_t)st.st_size);
        return;
    }
    dir = opendir(path);
    if (!dir) {
        perror(path);
        exit(1);
    }
    while ((entry = readdir(dir))) {
        char inner[4096];

        if (entry->d_name[0] != '.') {
            snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
            replay(inner);
        }
    }
    closedir(dir);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        replay(argv[i]);
    }
    printf("%zu inputs\n", n_inputs);
    return n_inputs == 0;
}
