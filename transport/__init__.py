"""What travels between the two processes, and what is stored: one record, one log, exactly once. No torch.

`schema` says what was measured, `record` lays it out as bytes, `log` keeps those bytes in segments on disk, `wire` and
`delivery` say how they travel, `uplink` is the actor's end, `intake` the learner's, `weights` the way back.
"""
