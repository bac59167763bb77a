// The program: reads the command, wires the parts, runs.
#include <cstdio>

int main() {
    std::puts("pgtandem " PGTANDEM_VERSION);
    return 0;
}
