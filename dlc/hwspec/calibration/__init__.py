"""Measured figures of the machine at hand: kernels, message times and their fit, and a description with them.

The ranks that measure run `dlc.hwspec.calibration.worker`; `dlc.calibrate` starts them.
"""
