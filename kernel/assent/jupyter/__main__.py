"""`python -m assent.jupyter -f CONNECTION_FILE`: start the kernel."""

from ipykernel.kernelapp import IPKernelApp

from assent.jupyter.kernel import AssentKernel

if __name__ == "__main__":
    IPKernelApp.launch_instance(kernel_class=AssentKernel)
