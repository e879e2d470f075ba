import { Alert, Button, Stack, Text } from "@chakra-ui/react";
import { useState } from "react";
import { useMe } from "~/api/useMe";
import { When } from "~/parts/When";
import { useSay } from "~/words/useSay";
import { SwitchDialog } from "./SwitchDialog";
import { useSwitch } from "./useSwitch";

/** Says above every page that everything is switched off, by whom and why. */
export function SwitchBanner() {
  const say = useSay();
  const stands = useSwitch().data;
  const mayTurn = useMe().data?.may.switch ?? false;
  const [seen, setSeen] = useState<string | null>(null);
  return (
    <>
      {stands?.is_off && (
        <Alert.Root status="error" role="alert" alignItems="start" flexWrap="wrap">
          <Alert.Indicator />
          <Stack gap={1} flex={1} minW="14rem">
            <Alert.Title>{say("switch.is_off")}</Alert.Title>
            <Text>
              {say("switch.by", { name: stands.by })}
              {stands.at && (
                <>
                  {" "}
                  · <When at={stands.at} />
                </>
              )}
              {stands.reason && `: ${stands.reason}`}
            </Text>
            {!mayTurn && <Text fontSize="sm">{say("switch.who")}</Text>}
          </Stack>
          {mayTurn && (
            <Button size="sm" variant="outline" onClick={() => setSeen(stands.at)}>
              {say("switch.on")}
            </Button>
          )}
        </Alert.Root>
      )}
      {seen && <SwitchDialog turn={{ to: "on", version: seen }} onClose={() => setSeen(null)} />}
    </>
  );
}
