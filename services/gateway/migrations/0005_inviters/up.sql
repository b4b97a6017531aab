-- Who invited: what somebody asked for goes with their right to ask.
ALTER TABLE invitations ADD COLUMN invited_by UUID;
