import { Button } from "@chakra-ui/react";
import { useState } from "react";
import { useMe } from "~/api/useMe";
import { useSay } from "~/words/useSay";
import { SwitchDialog } from "./SwitchDialog";
import { useIsOff } from "./useSwitch";

/** Stops everything, for who may; nothing where it is off already. */
export function SwitchButton() {
  const say = useSay();
  const isOff = useIsOff();
  const mayTurn = useMe().data?.may.switch ?? false;
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      {mayTurn && !isOff && (
        <Button
          size="sm"
          variant="outline"
          colorPalette="red"
          flexShrink={0}
          onClick={() => setOpen(true)}
        >
          {say("switch.off")}
        </Button>
      )}
      {isOpen && <SwitchDialog turn={{ to: "off" }} onClose={() => setOpen(false)} />}
    </>
  );
}
