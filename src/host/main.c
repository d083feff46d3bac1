/*
 * pes-host: the process that a provider's module is loaded into. Started by pes-init, by nobody
 * else. See README.md.
 */
#include <stdio.h>
#include <unistd.h>

#include "host/host_options.h"
#include "host/zygote.h"

int main(int argc, char **argv)
{
    static struct host_options options;

    if (host_options_parse(&options, argc, argv) < 0) {
        dprintf(STDERR_FILENO, "pes-host is started by pes-init\n");
        return 64;
    }
    return zygote_run(&options);
}
