"""Hook implementations of promptvision-supabase."""

PLUGIN_API = 1
