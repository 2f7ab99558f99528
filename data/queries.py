"""
Named queries: the only way from pages, layers and server to rows. Each takes `(store, viewer, ...)`.

Import them from here; they live in one module a subject (`data/queries_*.py`).
"""

from data.queries_access import find_accounts, find_approvals, find_audit, find_occupants
from data.queries_alarms import find_alarm_ranks, find_alarms
from data.queries_calendars import find_calendar_days
from data.queries_checkins import (
    find_checkin_files,
    find_checkin_points,
    find_checkin_servers,
    find_checkins,
    find_open_points,
    find_point_counts,
    find_thanks,
    find_volunteer_teams,
    find_volunteers,
)
from data.queries_dispatches import find_decision, find_dispatches, find_own_dispatches
from data.queries_drills import find_drill, find_drill_alarms
from data.queries_forces import find_earlier, find_forces, find_scene, find_sending_rules
from data.queries_freshness import find_checks, find_freshness, find_mends, find_proposals, find_verdicts
from data.queries_incidents import find_categories, find_incidents
from data.queries_info import CommunityInfo, get_info
from data.queries_inside import (
    find_plan_rooms,
    find_site_plan,
    find_unit_incidents,
    find_unit_rentals,
    find_unit_reports,
    find_unit_visits,
)
from data.queries_intake import find_case, find_open_incidents, find_reported, find_unplaced
from data.queries_map_edits import MapKnowledge, find_map_changes, find_map_knowledge, find_plan_changes
from data.queries_maps import (
    find_addresses,
    find_aliases,
    find_boundary,
    find_buildings,
    find_entrances,
    find_gates,
    find_grids,
    find_key_sites,
    find_land,
    find_positions,
    find_rentals,
    find_responders,
    find_roads,
    find_units,
    find_walls,
    find_zones,
)
from data.queries_patrols import (
    find_own_patrols,
    find_patrol_dispatches,
    find_patrol_plans,
    find_patrol_presences,
    find_patrol_reasons,
)
from data.queries_places import PLACE_KINDS, IncidentCounts, Place, PlaceKind, get_place
from data.queries_points import find_balances, find_book, find_gifts, find_ledger_lines, find_redemptions
from data.queries_replay import find_incident_states
from data.queries_rounds import find_due_visits, find_last_place, find_round_tasks
from data.queries_shift import find_defects, find_handovers
from data.queries_tasks import (
    find_earlier_visits,
    find_rounds,
    find_task,
    find_task_counts,
    find_task_events,
    find_task_evidence,
    find_task_findings,
    find_task_incidents,
    find_task_photos,
    find_task_sessions,
    find_tasks,
    find_waiting,
)
from data.queries_zones import find_zone_measures, find_zone_owners, find_zone_records

__all__ = [
    "PLACE_KINDS",
    "CommunityInfo",
    "IncidentCounts",
    "MapKnowledge",
    "Place",
    "PlaceKind",
    "find_accounts",
    "find_addresses",
    "find_alarm_ranks",
    "find_alarms",
    "find_aliases",
    "find_approvals",
    "find_audit",
    "find_balances",
    "find_book",
    "find_boundary",
    "find_buildings",
    "find_calendar_days",
    "find_case",
    "find_categories",
    "find_checkin_files",
    "find_checkin_points",
    "find_checkin_servers",
    "find_checkins",
    "find_checks",
    "find_decision",
    "find_defects",
    "find_dispatches",
    "find_drill",
    "find_drill_alarms",
    "find_due_visits",
    "find_earlier",
    "find_earlier_visits",
    "find_entrances",
    "find_forces",
    "find_freshness",
    "find_gates",
    "find_gifts",
    "find_grids",
    "find_handovers",
    "find_incident_states",
    "find_incidents",
    "find_key_sites",
    "find_land",
    "find_last_place",
    "find_ledger_lines",
    "find_map_changes",
    "find_map_knowledge",
    "find_mends",
    "find_occupants",
    "find_open_incidents",
    "find_open_points",
    "find_own_dispatches",
    "find_own_patrols",
    "find_patrol_dispatches",
    "find_patrol_plans",
    "find_patrol_presences",
    "find_patrol_reasons",
    "find_plan_changes",
    "find_plan_rooms",
    "find_point_counts",
    "find_positions",
    "find_proposals",
    "find_redemptions",
    "find_rentals",
    "find_reported",
    "find_responders",
    "find_roads",
    "find_round_tasks",
    "find_rounds",
    "find_scene",
    "find_sending_rules",
    "find_site_plan",
    "find_task",
    "find_task_counts",
    "find_task_events",
    "find_task_evidence",
    "find_task_findings",
    "find_task_incidents",
    "find_task_photos",
    "find_task_sessions",
    "find_tasks",
    "find_thanks",
    "find_unit_incidents",
    "find_unit_rentals",
    "find_unit_reports",
    "find_unit_visits",
    "find_units",
    "find_unplaced",
    "find_verdicts",
    "find_volunteer_teams",
    "find_volunteers",
    "find_waiting",
    "find_walls",
    "find_zone_measures",
    "find_zone_owners",
    "find_zone_records",
    "find_zones",
    "get_info",
    "get_place",
]
