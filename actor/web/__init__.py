"""The operator page: one web page, served by the actor's process, on which a person sees the robot and acts."""
