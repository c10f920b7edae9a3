"""Asks an X11 window to close, as a window manager's close button does: close.py WINDOW_ID."""

import ctypes
import sys

CLIENT_MESSAGE = 33
xlib = ctypes.CDLL("libX11.so.6")
xlib.XOpenDisplay.restype = ctypes.c_void_p
xlib.XInternAtom.restype = ctypes.c_ulong
for function in (xlib.XInternAtom, xlib.XSendEvent, xlib.XFlush, xlib.XCloseDisplay):
    function.argtypes = None


class ClientMessage(ctypes.Structure):
    """XClientMessageEvent, padded to the size of XEvent."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("padding", ctypes.c_long * 12),
    ]


display = ctypes.c_void_p(xlib.XOpenDisplay(None))
if not display:
    sys.exit("no X display")
window = ctypes.c_ulong(int(sys.argv[1]))
event = ClientMessage(type=CLIENT_MESSAGE, window=window, format=32)
event.message_type = xlib.XInternAtom(display, b"WM_PROTOCOLS", 0)
event.data[0] = xlib.XInternAtom(display, b"WM_DELETE_WINDOW", 0)
xlib.XSendEvent(display, window, 0, ctypes.c_long(0), ctypes.byref(event))
xlib.XFlush(display)
xlib.XCloseDisplay(display)
